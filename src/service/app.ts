import Fastify, { type FastifyInstance } from 'fastify'
import { type Logger, pino } from 'pino'
import { config } from './config.ts'
import { drain } from './plugins/drain.ts'
import { earlyErrors, errors } from './plugins/errors.ts'
import { faults } from './plugins/faults.ts'
import { identity } from './plugins/identity.ts'
import { metrics } from './plugins/metrics.ts'
import { refusals } from './plugins/refusals.ts'
import { metrics as metricsRoute } from './routes/metrics.ts'
import { openapi } from './routes/openapi.ts'
import { probes } from './routes/probes.ts'
import { version } from './routes/version.ts'

declare module 'fastify' {
  interface FastifyInstance {
    logger: Logger
  }
}

/**
 * The service, ready to listen or to be asked with `inject`.
 * @throws {import('./config.ts').ConfigError} when the environment has a value that is not allowed
 */
export async function buildApp(env: NodeJS.ProcessEnv): Promise<FastifyInstance> {
  const app = Fastify({
    // Fastify's own logger would make a child for every request; ours writes request lines only when asked to.
    logger: false,
    return503OnClosing: false,
    // Longer than the idle time after which gateways commonly drop a connection (90 s), or they race to reuse one that closes.
    keepAliveTimeout: 95_000,
    requestTimeout: 10_000,
    http: {
      headersTimeout: 10_000,
      connectionsCheckingInterval: 2_000,
      requireHostHeader: false,
      optimizeEmptyRequests: true,
    },
    ...earlyErrors,
  })
  await app.register(config, { env })
  app.decorate('logger', pino<never>({ level: app.config.LOG_LEVEL, base: null }))

  app.setSerializerCompiler(() => JSON.stringify)
  await app.register(errors)
  await app.register(identity)
  await app.register(metrics)
  await app.register(refusals)
  await app.register(drain)

  openapi(app)
  probes(app)
  metricsRoute(app)
  await app.register(async (published) => {
    faults(published)
    version(published)
  })
  return app
}
