import type { FastifyInstance } from 'fastify'

/** `GET /metrics`, for Prometheus: the process, what it is, and how long its replies took. */
export function metrics(app: FastifyInstance): void {
  const { DEVOPSAPI_VERSION: version, DEVOPSAPI_ROLE: role } = app.config
  const labels = { version, ...(role && { role }) }

  const load = async () => {
    const { collectDefaultMetrics, Gauge, Registry } = await import('prom-client')
    const registry = new Registry()
    registry.setDefaultLabels(labels)
    collectDefaultMetrics({ register: registry })
    new Gauge({ name: 'app_build_info', help: 'What this process is; always 1.', registers: [registry] }).set(1)
    return registry
  }
  let registry: ReturnType<typeof load> | undefined
  // Only once it listens, so that the first answer does not wait for this to load.
  app.addHook('onListen', async () => {
    registry ??= load()
    await registry
  })

  const response = { 200: { description: 'The text exposition format', type: 'string' } }
  app.get('/metrics', { schema: { summary: 'Metrics of the process and its replies', response } }, async (_request, reply) => {
    registry ??= load()
    const { contentType, metrics } = await registry
    reply.type(contentType)
    return `${await metrics()}${app.durations.expose(labels)}`
  })
}
