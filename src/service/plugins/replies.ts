import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Histogram, type Series } from '../histogram.ts'
import { unmatched } from './errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Headers that every reply carries. */
    identity: Record<string, string>
    durations: Histogram
  }
}

/** A client that has taken nothing of its reply for so long, or for twice as long, is hung up on. */
const SEND_TIMEOUT_MS = 15_000

/** So short a reply the system's buffers take, unless the client has left those before it there. */
const SHORT = 1024

/**
 * What every reply gets: who answers, that it may not be cached, and its place in the histogram. A single hook does it all, because
 * each further one costs CPU on every reply. It belongs to a route, so that no client can make a new series.
 */
export const replies = fp(async (app) => {
  const { DEVOPSAPI_VERSION, DEVOPSAPI_ROLE, DEVOPSAPI_POD } = app.config
  const identity = {
    'app-version': DEVOPSAPI_VERSION,
    ...(DEVOPSAPI_ROLE && { 'app-role': DEVOPSAPI_ROLE }),
    ...(DEVOPSAPI_POD && { 'app-pod': DEVOPSAPI_POD }),
    'cache-control': 'no-store',
  }
  const durations = new Histogram(
    'http_request_duration_seconds',
    'Time from the arrival of a request to the sending of its reply.',
  )
  app.decorate('identity', identity)
  app.decorate('durations', durations)

  const finish = (method: string, route: string) => {
    const byStatus = new Map<number, Series>()
    return (request: FastifyRequest, reply: FastifyReply, payload: unknown, done: () => void) => {
      reply.headers(identity)
      if (app.stopping.aborted) reply.header('connection', 'close')
      const { statusCode } = reply
      let series = byStatus.get(statusCode)
      if (series === undefined) {
        series = durations.series({ method, route, status: `${statusCode}` })
        byStatus.set(statusCode, series)
      }
      series.observe((performance.now() - arrival(request)) / 1000)
      const { socket } = request.raw
      const isTaken = typeof payload === 'string' && payload.length <= SHORT && !socket.writableLength
      // Once the reply is sent, Node sets the timeout of an idle connection instead. What `inject` asks has no real socket.
      if (!isTaken) socket.setTimeout?.(SEND_TIMEOUT_MS)
      done()
    }
  }

  app.addHook('onRoute', (route) => {
    route.onSend = [finish(`${route.method}`, route.url), ...[route.onSend ?? []].flat()]
  })

  // A scope of its own, so that its hooks are not also every route's.
  app.register(async (scope) => {
    const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
    const finishers = new Map(methods.map((method) => [method, finish(method, 'unmatched')]))
    const finishOther = finish('_OTHER', 'unmatched') // so named by OpenTelemetry
    scope.addHook('onSend', (request, reply, payload, done) => {
      const finishUnmatched = finishers.get(request.method) ?? finishOther
      finishUnmatched(request, reply, payload, done)
    })
    // Before Fastify looks at the type of a body that nobody would parse.
    scope.addHook('onRequest', (request, _reply, done) => done(unmatched(app, request.method, request.url)))
    scope.setNotFoundHandler(() => {})
  })
})

/** For Fastify's `genReqId`: the cheapest place to keep when a request arrived, as nothing here needs an id. */
export const markArrival = (): string => performance.now() as unknown as string

const arrival = (request: FastifyRequest) => request.id as unknown as number
