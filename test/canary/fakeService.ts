import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll } from 'vitest'

interface Behaviour {
  stable?: number
  canary?: number
  announces?: boolean
  /** Each connection is with one of the two. */
  keepsConnections?: boolean
  /** Every so many replies of canary's is an error. */
  canaryErrorsEvery?: number
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
  keepsConnections = false,
  canaryErrorsEvery = 0,
  insteadOfCanary,
  ...given
}: Behaviour = {}) {
  /** May be changed at any time. */
  const weights = { stable: 90, canary: 10, ...given }
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
    const { stable, canary } = weights
    if (announces) response.setHeader('traffic-split', `stable=${stable}, canary=${canary}`)
    if (!isCanarys(request.socket)) {
      response.writeHead(200, { 'app-version': 'v1.1.1', 'app-role': 'stable' }).end('{"version":"v1.1.1"}')
      return
    }
    canarys++
    if (insteadOfCanary) {
      insteadOfCanary(request, response)
      return
    }
    const status = canaryErrorsEvery && canarys % canaryErrorsEvery === 0 ? 500 : 200
    response.writeHead(status, { 'app-version': 'v1.1.1-canary', 'app-role': 'canary' }).end('{"version":"v1.1.1-canary"}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  servers.push(server)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, weights }
}
