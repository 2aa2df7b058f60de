import type { FastifyInstance } from 'fastify'
import { HttpError } from '../plugins/errors.ts'

/** `GET /livez` and `GET /readyz`, for the kubelet: 200, or 503 while not ready. */
export function probes(app: FastifyInstance): void {
  const { FAULT_READY_AFTER_MS } = app.config
  let ready = FAULT_READY_AFTER_MS === 0
  if (FAULT_READY_AFTER_MS > 0) {
    const timer = setTimeout(() => {
      ready = true
    }, FAULT_READY_AFTER_MS)
    app.addHook('onClose', async () => clearTimeout(timer))
  }
  app.addHook('preClose', async () => {
    ready = false
  })

  const response = { 200: { description: 'Yes', type: 'string', const: 'ok' } }
  app.get('/livez', { schema: { summary: 'Does the process answer?', response } }, (_request, reply) => {
    reply.send('ok')
  })
  app.get('/readyz', { schema: { summary: 'Should it get traffic?', response } }, (_request, reply) => {
    if (!ready) throw new HttpError(503, 'not ready')
    reply.send('ok')
  })
}
