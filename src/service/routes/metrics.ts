import type { FastifyInstance } from 'fastify'
import { onDemand } from './onDemand.ts'
import { text } from './text.ts'

/** `GET /metrics`, for Prometheus: the process, what it is, and how long its replies took. */
export function metrics(app: FastifyInstance): void {
  const { DEVOPSAPI_VERSION: version, DEVOPSAPI_ROLE: role } = app.config
  const labels = { version, ...(role && { role }) }

  const load = onDemand(async () => {
    const { collectDefaultMetrics, Gauge, Registry } = await import('prom-client')
    const registry = new Registry()
    registry.setDefaultLabels(labels)
    collectDefaultMetrics({ register: registry })
    // Its label `version` means Node's.
    registry.removeSingleMetric('nodejs_version_info')
    new Gauge({ name: 'app_build_info', help: 'What this process is; always 1.', registers: [registry] }).set(1)
    return registry
  })

  const schema = {
    summary: 'Metrics of the process and its replies',
    response: { 200: text('text/plain', 'The Prometheus text format') },
  }
  app.get('/metrics', { schema }, async (_request, reply) => {
    const registry = await load()
    reply.type(registry.contentType)
    return `${await registry.metrics()}${app.durations.expose(labels)}`
  })
}
