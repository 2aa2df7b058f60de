import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { type Target, VersionClient } from '../canary/sampling/versionClient.ts'
import { page } from '../service/routes/page.ts'

/** Where it is, beside what the application has. */
export const PAGE = '/.canary'

/** How an application that is not ours says its version. */
export interface Application extends Pick<Target, 'versionFrom' | 'roleFrom'> {
  readonly path: string
}

/** As many as browsers and people send at a time. */
const CONNECTIONS = 100

/** The live page for an application that is not ours: each of its requests is passed on through the gateway, and answered as ours would. */
export function anyPage(gateway: FastifyInstance, { path, ...how }: Application): void {
  let client: VersionClient | undefined
  gateway.addHook('onClose', async () => client?.close())
  const connect = () => {
    const { port } = gateway.server.address() as AddressInfo
    const url = new URL(path, `http://localhost:${port}`)
    return new VersionClient({ url, headers: {}, connections: CONNECTIONS, timeoutMs: 60_000, ...how })
  }
  gateway.register(
    async (app) => {
      page(app)
      app.get('/version', async (_request, reply) => {
        client ??= connect()
        const { version, role, pod, announced, error } = await client.ask()
        const said = { 'app-version': version, 'app-role': role, 'app-pod': pod, 'traffic-split': announced }
        for (const [name, value] of Object.entries(said)) if (value !== undefined) reply.header(name, value)
        const status = error === undefined ? 200 : Number.parseInt(error, 10) || 502
        return reply.code(status).send(version === undefined || error !== undefined ? { error } : { version })
      })
    },
    { prefix: PAGE },
  )
}
