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

// Node takes an empty host for every address: of IPv6 and IPv4, or of IPv4 where that is all there is.
await app.listen({ host: host ?? '', port }).catch(refuseToStart)
const { address, family, port: listeningPort } = app.server.address() as AddressInfo
const listensOn = `${family === 'IPv6' ? `[${address}]` : address}:${listeningPort}`
app.logger.info({ version, role, address: listensOn, node: process.version, startMs: Math.round(performance.now()) }, 'listening')

function refuseToStart(error: NodeJS.ErrnoException): never {
  const reason = error instanceof ConfigError ? error.message : listenReason(error)
  if (!reason) throw error
  process.stderr.write(`devops-api cannot start: ${reason}\n`)
  process.exit(1)
}

function listenReason({ code, syscall }: NodeJS.ErrnoException): string | undefined {
  if (code === 'EADDRINUSE')
    return `PORT is ${port}: another process listens there on ${host ?? 'this machine'}; choose a free one`
  if (code === 'EACCES') return `PORT is ${port}: this user may not listen there; choose one from 1024 to 65535`
  if (syscall === 'listen' || syscall === 'getaddrinfo')
    return `HOST is ${JSON.stringify(host)}: it must be an address of this machine`
  return undefined
}
