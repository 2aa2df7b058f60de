import type { AddressInfo } from 'node:net'
import closeWithGrace from 'close-with-grace'
import { buildApp } from './app.ts'
import { ConfigError } from './config.ts'

const app = await buildApp(process.env).catch(refuseToStart)
const { DEVOPSAPI_VERSION: version, DEVOPSAPI_ROLE: role, HOST: host, PORT: port } = app.config

closeWithGrace({ delay: 10_000, logger: app.logger }, async ({ signal, err }) => {
  if (err) app.logger.fatal({ err }, 'uncaught error')
  else app.logger.info({ signal }, 'closing')
  await app.close()
})

await app.listen({ host, port }).catch(refuseToStart)
const { address, port: listeningPort } = app.server.address() as AddressInfo
app.logger.info(
  { version, role, address: `${address}:${listeningPort}`, node: process.version, startMs: Math.round(performance.now()) },
  'listening',
)

function refuseToStart(error: NodeJS.ErrnoException): never {
  const reason = error instanceof ConfigError ? error.message : listenReason(error)
  if (!reason) throw error
  process.stderr.write(`devops-api cannot start: ${reason}\n`)
  process.exit(1)
}

function listenReason({ code }: NodeJS.ErrnoException): string | undefined {
  if (code === 'EADDRINUSE') return `PORT is ${port}: another process listens there on ${host}; choose a free one`
  if (code === 'EACCES') return `PORT is ${port}: this user may not listen there; choose one from 1024 to 65535`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `HOST is "${host}": it must be an address of this machine`
  return undefined
}
