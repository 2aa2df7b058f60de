import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll } from 'vitest'
import type { Role } from '../../src/canary/roles.ts'

export interface Behaviour {
  stable?: number
  canary?: number
  announces?: boolean
  /** How the application says its version: as ours, as the body, in a header, or not at all. */
  says?: 'json' | 'text' | 'header' | 'nothing'
  /** Whether replies say the role; where the application is another, the route has them do so. */
  saysRole?: boolean
  /** Each connection is with one of the two. */
  keepsConnections?: boolean
  /** Every so many replies of canary's is an error. */
  canaryErrorsEvery?: number
  /** Every so many requests is one too many for the gateway. */
  limitedEvery?: number
  /** What canary's share is answered with, instead of by canary. */
  insteadOfCanary?: RequestListener
}

// Tests that run side by side cannot each clean up when they are finished.
const servers: Server[] = []
afterAll(() => {
  for (const server of servers) server.close().closeAllConnections()
})

/** Two services behind a gateway that spreads evenly, and counts. */
export async function gateway({
  announces = false,
  says = 'json',
  saysRole = true,
  keepsConnections = false,
  canaryErrorsEvery = 0,
  limitedEvery = 0,
  insteadOfCanary,
  ...given
}: Behaviour = {}) {
  // Both may be changed at any time.
  const weights = { stable: 90, canary: 10, ...given }
  const versions = { stable: 'v1.1.1', canary: 'v1.1.1-canary' }
  const reply = (response: ServerResponse, role: Role, status = 200) => {
    const version = versions[role]
    const headers = { json: { 'app-version': version }, text: {}, header: { 'x-build': version }, nothing: {} }[says]
    const body = { json: JSON.stringify({ version }), text: `${version}\n`, header: '', nothing: '<h1>' }[says]
    response.writeHead(status, { ...headers, ...(saysRole && { 'app-role': role }) }).end(body)
  }
  const asked: IncomingHttpHeaders[] = []
  let credit = 0
  let canarys = 0
  const kept = new WeakMap<Socket, boolean>()
  const isCanarys = (socket: Socket) => {
    const before = kept.get(socket)
    if (keepsConnections && before !== undefined) return before
    credit += weights.canary
    const isNow = credit >= weights.stable + weights.canary
    if (isNow) credit -= weights.stable + weights.canary
    kept.set(socket, isNow)
    return isNow
  }
  const server = createServer((request, response) => {
    asked.push(request.headers)
    if (limitedEvery && asked.length % limitedEvery === 0) {
      response.writeHead(429, { 'retry-after': '1' }).end()
      return
    }
    const { stable, canary } = weights
    if (announces) response.setHeader('traffic-split', `stable=${stable}, canary=${canary}`)
    if (!isCanarys(request.socket)) {
      reply(response, 'stable')
      return
    }
    canarys++
    if (insteadOfCanary) {
      insteadOfCanary(request, response)
      return
    }
    reply(response, 'canary', canaryErrorsEvery && canarys % canaryErrorsEvery === 0 ? 500 : 200)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  servers.push(server)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, weights, versions, server }
}
