import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { text } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { buildGateway, type Endpoint, refuseTakenPort } from '../../src/demo/demoGateway.ts'
import type { HTTPRoute, Manifest } from '../../src/demo/render.ts'
import { Route } from '../../src/demo/route.ts'

type Rule = HTTPRoute['spec']['rules'][number]

const open: (Server | FastifyInstance)[] = []
afterEach(async () => {
  for (const server of open.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections()
    await server.close()
  }
})

/** A pod that answers like this. */
async function pod(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Endpoint> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  open.push(server)
  await once(server, 'listening')
  return { name: 'pod-1', origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** A gateway with a route for every path to the Service `s`, which has this endpoint. Returns its port. */
async function gateway(endpoint: Endpoint | 'none' | undefined, rule: Partial<Rule> = {}, hostnames = ['a.example']) {
  const backendRefs = [{ name: 's', port: 80 }]
  const spec = { parentRefs: [], hostnames, rules: [{ backendRefs, ...rule }] }
  const route = new Route({ metadata: { name: 'r' }, spec } as unknown as Manifest & HTTPRoute)
  return listen({ route, endpoint: (service, port) => (service === 's' && port === 80 ? endpoint : undefined) })
}

async function listen(network: Parameters<typeof buildGateway>[0]): Promise<number> {
  const app = buildGateway(network)
  open.push(app)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

interface Asked {
  path?: string
  method?: string
  headers?: Record<string, string>
  body?: string
}

async function ask(port: number, { path = '/', method = 'GET', headers = {}, body }: Asked = {}) {
  const call = request({ host: '127.0.0.1', port, path, method, headers, agent: false }).end(body)
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

/** Sends exactly this, and returns all that comes back until the connection ends. */
async function send(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  return text(socket)
}

const echo = () =>
  pod(async (request, response) => {
    const { method, url, headers } = request
    response.end(JSON.stringify({ method, url, headers, body: await text(request) }))
  })

describe('a request', () => {
  it('reaches the pod as it was sent, query, Host and all', async () => {
    const port = await gateway(await echo())
    const { body } = await ask(port, { path: '/a?b=%20c&d', headers: { host: 'a.example:8000', 'x-other': '1' } })
    expect(JSON.parse(body)).toEqual({
      method: 'GET',
      url: '/a?b=%20c&d',
      headers: { host: 'a.example:8000', 'x-other': '1', connection: 'keep-alive' },
      body: '',
    })
  })

  it.each([
    ['text/plain', 'x'.repeat(3_000_000)],
    ['application/json', '{ not json'],
    ['application/octet-stream', '\0'],
  ])('of type %s takes its body along', async (type, body) => {
    const port = await gateway(await echo())
    const reply = await ask(port, { method: 'POST', headers: { 'content-type': type }, body })
    const received = JSON.parse(reply.body)
    expect(received).toMatchObject({ method: 'POST', headers: { 'content-type': type } })
    expect(received.body === body).toBe(true)
  })

  it('without a type takes its body along, however it is framed', async () => {
    const port = await gateway(await echo())
    for (const headers of [{ 'content-length': '5' }, { 'transfer-encoding': 'chunked' }] as Record<string, string>[]) {
      expect(JSON.parse((await ask(port, { method: 'PUT', headers, body: 'hello' })).body)).toMatchObject({ body: 'hello' })
    }
  })

  it('is passed on while its body is still coming', async () => {
    const begun = Promise.withResolvers<void>()
    const port = await gateway(
      await pod(async (request, response) => {
        request.once('data', () => begun.resolve())
        response.end(await text(request))
      }),
    )
    const call = request({ host: '127.0.0.1', port, method: 'POST', agent: false })
    call.write('first, ')
    await begun.promise
    call.end('second')
    const [response] = await once(call, 'response')
    expect(await text(response)).toBe('first, second')
  })

  it.each(['HEAD', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND'])('may be a %s', async (method) => {
    const port = await gateway(await pod(({ method }, response) => response.setHeader('method', `${method}`).end()))
    expect((await ask(port, { method })).headers).toMatchObject({ method })
  })

  it('may have headers that are for the next machine only', async () => {
    const port = await gateway(await echo())
    const headers = {
      connection: 'upgrade, x-mine',
      upgrade: 'h2c',
      'x-mine': '1',
      'keep-alive': '5',
      te: 'trailers',
      expect: '100-continue',
    }
    const { status, body } = await ask(port, { method: 'POST', headers, body: 'hello' })
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({ body: 'hello' })
    expect(Object.keys(JSON.parse(body).headers).sort()).toEqual(['connection', 'content-length', 'host'])
  })

  it('of a kind that has no body arrives without the one it has', async () => {
    const port = await gateway(await echo())
    const { status, body } = await ask(port, { headers: { 'content-length': '5' }, body: 'hello' })
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({ method: 'GET', body: '' })
  })

  it('without a Host, as of old, is one to localhost', async () => {
    const port = await gateway(await pod((_, response) => response.end('hello')))
    expect(await send(port, 'GET / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n(.*\r\n)+hello$/)
  })
})

describe('a reply', () => {
  it('comes back as it was sent, but for what concerns the connection', async () => {
    const headers = { 'x-a': '1', 'set-cookie': ['a=1', 'b=2'], connection: 'close', 'keep-alive': 'timeout=95' }
    const port = await gateway(await pod((_, response) => response.writeHead(418, headers).end('teapot')))
    const reply = await ask(port, { headers: { connection: 'keep-alive' } })
    expect(reply).toMatchObject({ status: 418, body: 'teapot', headers: { 'x-a': '1', 'set-cookie': ['a=1', 'b=2'] } })
    expect(reply.headers).toMatchObject({ connection: 'keep-alive', 'keep-alive': 'timeout=72' })
  })

  it('keeps its Location', async () => {
    const port = await gateway(await pod((_, response) => response.writeHead(302, { location: '/elsewhere' }).end()))
    expect((await ask(port)).headers).toMatchObject({ location: '/elsewhere' })
  })

  it('of 503 is not asked for again', async () => {
    let asked = 0
    const port = await gateway(
      await pod((_, response) => {
        asked++
        response.writeHead(503).end()
      }),
    )
    expect((await ask(port)).status).toBe(503)
    expect(asked).toBe(1)
  })

  it('gets its headers changed by the rule', async () => {
    const responseHeaderModifier = {
      set: [
        { name: 'X-Set', value: 'new' },
        { name: 'x-more', value: '1' },
      ],
      add: [
        { name: 'x-add', value: 'b' },
        { name: 'x-first', value: 'c' },
      ],
      remove: ['X-Gone'],
    }
    const filters = [{ type: 'ResponseHeaderModifier', responseHeaderModifier }]
    const headers = { 'x-set': 'old', 'x-add': 'a', 'x-gone': '1' }
    const port = await gateway(await pod((_, response) => response.writeHead(200, headers).end()), { filters })
    const reply = await ask(port)
    expect(reply.headers).toMatchObject({ 'x-set': 'new', 'x-more': '1', 'x-add': 'a, b', 'x-first': 'c' })
    expect(reply.headers).not.toHaveProperty('x-gone')
  })
})

describe('the gateway answers by itself', () => {
  it.each<[string, number, string, Endpoint | 'none' | undefined, Partial<Rule>, Asked]>([
    ['another host', 404, 'no HTTPRoute answers to the host b.example', 'none', {}, { headers: { host: 'b.example' } }],
    [
      'another path',
      404,
      'no rule of the HTTPRoute takes the path /b',
      'none',
      { matches: [{ path: { type: 'Exact', value: '/a' } }] },
      { path: '/b?c' },
    ],
    ['a missing Service', 500, 'there is no Service s with port 80', undefined, {}, {}],
    ['a missing port', 500, 'there is no Service s with port 81', 'none', { backendRefs: [{ name: 's', port: 81 }] }, {}],
    ['a rule without backends', 500, 'the rule of the HTTPRoute has no backend', 'none', { backendRefs: [] }, {}],
    ['a Service without a ready pod', 503, 'no ready pod behind Service s', 'none', {}, {}],
  ])('for %s with %i: %s', async (_, status, reason, endpoint, rule, asked) => {
    const reply = await ask(await gateway(endpoint, rule), asked)
    expect(reply).toMatchObject({ status, body: `${reason}\n`, headers: { 'content-type': 'text/plain; charset=utf-8' } })
  })

  it('for everything with 404 where there is no route', async () => {
    const reply = await ask(await listen({ route: undefined, endpoint: () => 'none' }))
    expect(reply).toMatchObject({ status: 404, body: 'no release has an HTTPRoute\n' })
  })

  it('with 502 when the pod is not there any more', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    const reply = await ask(await gateway({ name: 'pod-1', origin: `http://127.0.0.1:${port}` }))
    expect(reply).toMatchObject({ status: 502, body: expect.stringMatching(/^pod pod-1 did not answer: .*ECONNREFUSED.*\n$/) })
  })

  it('with 502 when the pod ends before it answers, and asks no other', async () => {
    let asked = 0
    const reply = await ask(
      await gateway(
        await pod(({ socket }) => {
          asked++
          socket.destroy()
        }),
      ),
    )
    expect(reply).toMatchObject({ status: 502, body: 'pod pod-1 did not answer: other side closed\n' })
    expect(asked).toBe(1)
  })

  it('with 400, in plain text too, to a path that is none', async () => {
    const reply = await ask(await gateway('none'), { path: '/%zz' })
    expect(reply).toMatchObject({ status: 400, headers: { 'content-type': 'text/plain; charset=utf-8' } })
  })

  it('and changes the headers of these replies as well', async () => {
    const set = [{ name: 'traffic-split', value: 'all' }]
    const filters = [{ type: 'ResponseHeaderModifier', responseHeaderModifier: { set } }]
    expect((await ask(await gateway('none', { filters }))).headers).toMatchObject({ 'traffic-split': 'all' })
  })
})

it('a reply that breaks off on the way breaks off for the client', async () => {
  const port = await gateway(
    await pod((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half')
      setImmediate(() => response.destroy())
    }),
  )
  await expect(ask(port)).rejects.toThrow('aborted')
})

describe('a port', () => {
  it('that another program has is refused', async () => {
    const other = createTcpServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    await expect(refuseTakenPort(port)).rejects.toThrow(
      `port ${port} is taken by another program; choose another one: PORT=9000 npm run demo`,
    )
    other.close()
    await once(other, 'close')
    await expect(refuseTakenPort(port)).resolves.toBeUndefined()
  })

  it('is left free', async () => {
    const other = createTcpServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    other.close()
    await once(other, 'close')
    await refuseTakenPort(port)
    other.listen(port, '127.0.0.1')
    await once(other, 'listening')
    other.close()
  })
})
