import { setTimeout as sleep } from 'node:timers/promises'
import fp from 'fastify-plugin'

/** How long a connection that looks idle is kept after the signal: a request may be on its way on it. */
const IDLE_MS = 250
/** After this, connections that are still open are cut, so that the process ends within 10 s even on a busy machine. */
const LIMIT_MS = 8_000

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the service is stopping, so that replies ask for their connection to be closed. */
    draining: boolean
  }
}

/**
 * Lets go of connections without losing a request. After `close()` Fastify goes on serving what arrives, with `connection: close`,
 * but a reply that was under way would keep its connection until `keepAliveTimeout` (fastify/fastify#7044): hence `draining`.
 */
export const drain = fp(async (app) => {
  app.decorate('draining', false)
  app.addHook('preClose', async () => {
    app.draining = true
    if (!app.server.listening) return
    setTimeout(() => app.server.closeAllConnections(), LIMIT_MS).unref()
    await sleep(IDLE_MS)
  })
})
