import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { METHODS } from 'node:http'
import { createServer } from 'node:net'
import proxy from '@fastify/http-proxy'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { type Application, anyPage, PAGE } from './anyPage.ts'
import { Mistake } from './mistake.ts'
import type { HeaderChanges, Route } from './route.ts'

/** A ready pod. */
export interface Endpoint {
  readonly name: string
  readonly origin: string
}

/** What the gateway looks up for every request, so that a change counts at once. */
export interface Network {
  readonly route: Route | undefined
  /** The pod of a Service whose turn it is: `none` when none is ready, and nothing when there is no such Service or port. */
  endpoint(service: string, port: number): Endpoint | 'none' | undefined
}

declare module 'fastify' {
  interface FastifyRequest {
    endpoint: Endpoint
    /** Of the backend, then of the rule. */
    headerChanges: readonly HeaderChanges[]
  }
}

/** What undici refuses to send, because it is between the client and the gateway; the gateway has already said "100 Continue". */
const hopByHop = ['connection', 'expect', 'keep-alive', 'te', 'trailer', 'upgrade']

const without = <T>(headers: Record<string, T>, names: readonly string[]) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)))

/**
 * Passes requests on as the route says, and gives a short answer of its own, in plain text, where that is impossible.
 * @param application where it is not ours, which has the page itself
 */
export function buildGateway(network: Network, application?: Application): FastifyInstance {
  const app = Fastify({
    forceCloseConnections: true,
    frameworkErrors: (error, _request, reply) => refuse(reply, error.statusCode ?? 500, error.message),
  })
  app.decorateRequest('endpoint', null as unknown as Endpoint)
  app.decorateRequest('headerChanges', null as unknown as HeaderChanges[])
  app.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) =>
    refuse(reply, error.statusCode ?? 500, error.message),
  )

  app.addHook('onRequest', async (request, reply) => {
    const { host } = request.headers
    const [path = ''] = request.url.split('?', 1)
    if (application && path.startsWith(`${PAGE}/`)) return
    const { route } = network
    if (!route) return refuse(reply, 404, 'no release has an HTTPRoute')
    if (!route.answersTo(host)) return refuse(reply, 404, `no HTTPRoute answers to the host ${host}`)
    const rule = route.rule(path, request.headers)
    if (!rule) return refuse(reply, 404, `no rule of the HTTPRoute takes the path ${path}`)

    const backend = rule.backends.next()
    request.headerChanges = [...(backend ? [backend.headerChanges] : []), rule.headerChanges]
    if (!backend) return refuse(reply, 500, 'the rule of the HTTPRoute has no backend')
    const { service, port } = backend
    const endpoint = network.endpoint(service, port)
    if (!endpoint) return refuse(reply, 500, `there is no Service ${service} with port ${port}`)
    if (endpoint === 'none') return refuse(reply, 503, `no ready pod behind Service ${service}`)
    request.endpoint = endpoint
  })

  app.addHook('onSend', async ({ headerChanges }, reply) => {
    for (const { remove, set, add } of headerChanges ?? []) {
      for (const name of remove) reply.removeHeader(name)
      for (const { name, value } of set) reply.header(name, value)
      for (const { name, value } of add) reply.header(name, [reply.getHeader(name) ?? [], value].flat().join(', '))
    }
  })

  if (application) anyPage(app, application)
  // Bodies go through as they are, whatever is in them.
  app.removeAllContentTypeParsers()
  for (const method of METHODS) {
    if (method !== 'CONNECT' && !app.supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: true })
  }
  app.register(proxy, {
    upstream: '',
    httpMethods: app.supportedMethods,
    disableRequestLogging: true,
    destroyAgent: true,
    // A slow pod is there to be seen.
    undici: { headersTimeout: 0, bodyTimeout: 0 },
    replyOptions: {
      getUpstream: ({ endpoint }) => endpoint.origin,
      rewriteRequestHeaders: ({ headers: { host } }, headers) => ({
        ...without(headers, hopByHop),
        ...(host !== undefined && { host }),
      }),
      rewriteHeaders: (headers) => without(headers, hopByHop),
      // Left alone, a 503 would be asked for up to ten times more, and nobody would see it.
      retryDelay: () => null,
      onError: (reply, { error }) => {
        const cause = (error as Error & { cause?: Error }).cause ?? error
        refuse(reply as FastifyReply, 502, `pod ${reply.request.endpoint.name} did not answer: ${cause.message}`)
      },
    },
  })
  return app
}

function refuse(reply: FastifyReply, status: number, reason: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(`${reason}\n`)
}

const troubles: Record<string, string> = { EADDRINUSE: 'is taken by another program', EACCES: 'is not for this user' }

/**
 * Of two addresses of localhost, Fastify would be content with one, and half of the clients would reach the other program.
 * @throws {Mistake} when the gateway could not listen at this port, everywhere on localhost
 */
export async function refuseTakenPort(port: number): Promise<void> {
  for (const { address } of await lookup('localhost', { all: true })) {
    const server = createServer().listen(port, address)
    const code = await once(server, 'listening').then(
      () => 'free',
      (error) => error.code,
    )
    server.close()
    const trouble = troubles[code]
    if (trouble) throw new Mistake(`port ${port} ${trouble}; choose another one: PORT=9000 npm run demo`)
  }
}
