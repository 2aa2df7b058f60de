import { Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import fp from 'fastify-plugin'

/** How long a connection that looks idle is kept after the signal: a request may be on its way on it. */
const IDLE_MS = 250
/** After this, connections that are still open are cut, so that the process ends within 10 s even on a busy machine. */
const LIMIT_MS = 8_000

declare module 'fastify' {
  interface FastifyInstance {
    /** Aborted when the service begins to stop. From then on, replies ask for their connection to be closed. */
    stopping: AbortSignal
  }
}

/**
 * Lets go of connections without losing a request: no new ones, those that are open are served until they end. Fastify alone would
 * keep a connection with a reply under way until `keepAliveTimeout` (fastify/fastify#7044), and cut idle ones at once.
 */
export const drain = fp(async (app) => {
  const stopping = new AbortController()
  app.decorate('stopping', stopping.signal)
  app.addHook('preClose', async () => {
    stopping.abort()
    if (!app.server.listening) return
    const ended = new Promise<void>((resolve) => {
      // Not the HTTP server's own `close`, which cuts idle connections.
      Server.prototype.close.call(app.server, () => resolve())
    })
    const limit = setTimeout(() => app.server.closeAllConnections(), LIMIT_MS)
    await Promise.race([ended, sleep(IDLE_MS)])
    app.server.closeIdleConnections()
    await ended
    clearTimeout(limit)
  })
})
