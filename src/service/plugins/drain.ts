import { setTimeout as sleep } from 'node:timers/promises'
import fp from 'fastify-plugin'

/** How long a connection that looks idle is kept after the signal: a request may be on its way on it. */
const IDLE_MS = 250
/** After this, connections that are still open are cut, so that the process ends within 10 s. */
const LIMIT_MS = 9_000

/**
 * Lets go of connections without losing a request. Fastify serves what arrives after `close()` with `connection: close`, but a
 * reply that was under way would keep its connection open until `keepAliveTimeout` (fastify/fastify#7044).
 */
export const drain = fp(async (app) => {
  let draining = false
  app.addHook('preClose', async () => {
    draining = true
    if (!app.server.listening) return
    setTimeout(() => app.server.closeAllConnections(), LIMIT_MS).unref()
    await sleep(IDLE_MS)
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (draining) reply.header('connection', 'close')
    done()
  })
})
