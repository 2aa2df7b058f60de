import Fastify, { type FastifyInstance } from 'fastify'
import { type Logger, pino } from 'pino'
import { config } from './config.ts'
import { faults, illness } from './faults.ts'
import { drain } from './plugins/drain.ts'
import { earlyErrors, errors } from './plugins/errors.ts'
import { refusals } from './plugins/refusals.ts'
import { markArrival, replies } from './plugins/replies.ts'
import { requestLines } from './plugins/requestLines.ts'
import { metrics } from './routes/metrics.ts'
import { openapi } from './routes/openapi.ts'
import { page } from './routes/page.ts'
import { probes } from './routes/probes.ts'
import { version } from './routes/version.ts'

declare module 'fastify' {
  interface FastifyInstance {
    logger: Logger
  }
}

/** How long a client may take to send a request. */
const REQUEST_TIMEOUT_MS = 10_000

/**
 * The service, ready to listen or to be asked with `inject`.
 * @throws {import('./config.ts').ConfigError} when the environment has a value that is not allowed
 */
export async function buildApp(env: NodeJS.ProcessEnv): Promise<FastifyInstance> {
  const app = Fastify({
    // Fastify's own logger makes a child for every request; ours writes request lines when asked to.
    logger: false,
    genReqId: markArrival,
    return503OnClosing: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: {
      // Node takes the shorter for the headers and the longer for the whole, however they are called.
      headersTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 2_000,
      // Finds connections whose other end is gone without a word, which else stayed for the whole of KEEP_ALIVE_TIMEOUT_MS.
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
      // Node's own refusal would not say who answers.
      requireHostHeader: false,
      // Of several Host headers Node would keep the first.
      joinDuplicateHeaders: true,
      optimizeEmptyRequests: true,
    },
    ...earlyErrors,
  })
  await app.register(config, { env })
  app.server.keepAliveTimeout = app.config.KEEP_ALIVE_TIMEOUT_MS
  app.decorate('logger', pino<never>({ level: app.config.LOG_LEVEL, base: null }))

  // The response schemas are documentation; a serializer compiled from each would cost time at the start.
  app.setSerializerCompiler(() => JSON.stringify)
  await app.register(errors)
  await app.register(requestLines)
  await app.register(drain)
  // Before replies, whose answer to what no route takes would leave a body unread.
  await app.register(refusals)
  await app.register(replies)

  openapi(app)
  probes(app)
  metrics(app)
  page(app)
  illness(app)
  await app.register(async (faulty) => {
    faults(faulty)
    version(faulty)
  })
  return app
}
