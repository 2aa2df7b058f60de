import type { FastifyInstance } from 'fastify'
import { HttpError } from '../plugins/errors.ts'
import { text } from './text.ts'

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

  const probe = (summary: string, yes: string, no?: string) => ({
    logLevel: 'silent' as const,
    schema: { summary, response: { 200: text('text/plain', yes), ...(no && { 503: { description: no, type: 'object' } }) } },
  })
  app.get('/livez', probe('Does the process answer?', 'It does'), (_request, reply) => {
    reply.send('ok')
  })
  app.get('/readyz', probe('Should it get requests?', 'It should', 'Not yet, or no longer'), (_request, reply) => {
    if (!ready || app.stopping.aborted) throw new HttpError(503, 'not ready')
    reply.send('ok')
  })
}
