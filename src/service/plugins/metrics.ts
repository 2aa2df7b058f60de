import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Histogram, type Series } from '../histogram.ts'

declare module 'fastify' {
  interface FastifyInstance {
    durations: Histogram
  }
  interface FastifyRequest {
    startedAt: number
  }
}

/** Measures every reply, from the first hook to the sending. A series belongs to a route, so that clients cannot make new ones. */
export const metrics = fp(async (app) => {
  const durations = new Histogram('http_request_duration_seconds', 'Time from the arrival of a request to the sending of its reply.')
  app.decorate('durations', durations)
  app.decorateRequest('startedAt', 0)
  app.addHook('onRequest', (request, _reply, done) => {
    request.startedAt = performance.now()
    done()
  })

  const measure = (method: string, route: string) => {
    const byStatus = new Map<number, Series>()
    return (request: FastifyRequest, { statusCode }: FastifyReply) => {
      let series = byStatus.get(statusCode)
      if (series === undefined) {
        series = durations.series({ method, route, status: `${statusCode}` })
        byStatus.set(statusCode, series)
      }
      series.observe((performance.now() - request.startedAt) / 1000)
    }
  }

  app.addHook('onRoute', (route) => {
    const record = measure(`${route.method}`, route.url)
    route.onSend = [
      ...[route.onSend ?? []].flat(),
      (request, reply, _payload, done) => {
        record(request, reply)
        done()
      },
    ]
  })

  // Any other method is counted as _OTHER, as OpenTelemetry does.
  const unmatched = Object.fromEntries(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', '_OTHER'].map((method) => [method, measure(method, 'unmatched')])) // prettier-ignore
  app.addHook('onSend', (request, reply, _payload, done) => {
    if (request.is404) (unmatched[request.method] ?? unmatched['_OTHER'])?.(request, reply)
    done()
  })
})
