import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { roleFrom } from '../../../src/canary/sampling/roleFrom.ts'
import type { Outcome } from '../../../src/canary/sampling/sample.ts'
import type { Target } from '../../../src/canary/sampling/versionClient.ts'
import { versionFrom } from '../../../src/canary/sampling/versionFrom.ts'
import { client, good, identity, listen, serve, version } from './servers.ts'

describe('one request', () => {
  const ask = async (listener: RequestListener, some?: Partial<Target>) => {
    const { microseconds, connection, ...outcome } = await client(await serve(listener), some).ask()
    // What is undefined is not there.
    return { ...JSON.parse(JSON.stringify(outcome)), took: microseconds !== undefined && microseconds > 0 }
  }
  const reply =
    (status: number, headers: Record<string, string> = {}, body: string | Buffer = ''): RequestListener =>
    (_, response) =>
      void response.writeHead(status, headers).end(body)
  const identified = { version: 'v1', role: 'stable', pod: 'pod-1', took: true }

  it.each([
    ['a good reply', good, identified],
    ['a good reply without a role', reply(200, {}, version), { version: 'v1', took: true }],
    [
      'an announced split',
      reply(200, { 'traffic-split': 'stable=90, canary=10' }, version),
      { version: 'v1', announced: 'stable=90, canary=10', took: true },
    ],
    ['an error that says its version', reply(500, identity), { ...identified, error: '500' }],
    ['an error in the shape of a version', reply(500, {}, version), { error: '500 without a version', took: true }],
    ['a 503 without a version', reply(503), { error: '503 without a version', took: true }],
    ['a 404 that says its version', reply(404, identity), { ...identified, error: '404' }],
    ['a redirect', reply(302, { location: '/login' }), { error: '302 to /login', took: true }],
    ['a redirect to nowhere', reply(301), { error: '301', took: true }],
    [
      'a redirect by the service',
      reply(307, { ...identity, location: 'http://other/' }),
      { ...identified, error: '307 to http://other/' },
    ],
    ['a page', reply(200, identity, '<html>'), { role: 'stable', pod: 'pod-1', error: '200 without a version', took: true }],
    ['no body', reply(204), { error: '204 without a version', took: true }],
    [
      'a coding that nobody asked for',
      reply(200, { ...identity, 'content-encoding': 'gzip' }, gzipSync(version)),
      { role: 'stable', pod: 'pod-1', error: '200 in gzip, which nobody asked for', took: true },
    ],
    ['an error in such a coding', reply(503, { 'content-encoding': 'br' }), { error: '503 without a version', took: true }],
    ['a coding that is none', reply(200, { 'content-encoding': 'identity' }, version), { version: 'v1', took: true }],
    ['JSON of another kind', reply(200, {}, 'null'), { error: '200 without a version', took: true }],
    ['a version that is a number', reply(200, {}, '{"version":1}'), { error: '200 without a version', took: true }],
    ['an empty version', reply(200, {}, '{"version":""}'), { error: '200 without a version', took: true }],
    [
      'a version out to take over the terminal',
      reply(200, {}, '{"version":"\\u001b[2Jv1\\n"}'),
      { version: '?[2Jv1?', took: true },
    ],
    [
      'a version without end',
      reply(200, {}, JSON.stringify({ version: 'v'.repeat(1000) })),
      { version: 'v'.repeat(128), took: true },
    ],
    ['a huge body', reply(200, {}, Buffer.alloc(20_000_000, ' ')), { error: '200 without a version', took: true }],
    ['a huge error', reply(502, {}, Buffer.alloc(20_000_000, ' ')), { error: '502 without a version', took: true }],
    ['a closed connection', (request) => request.socket.destroy(), { error: 'connection reset', took: false }],
    ['a reset connection', (request) => request.socket.resetAndDestroy(), { error: 'connection reset', took: false }],
    [
      'half a body',
      (_, response) => void response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy()),
      { error: 'connection reset', took: false },
    ],
    [
      'half a body of somebody',
      (_, response) => void response.writeHead(200, { ...identity, 'content-length': 100 }).write('{', () => response.destroy()),
      { version: 'v1', role: 'stable', pod: 'pod-1', error: 'connection reset', took: false },
    ],
  ] as [string, RequestListener, object][])('sees %s', async (_, listener, outcome) => {
    expect(await ask(listener)).toEqual(outcome)
  })

  it.each<[string, string, RequestListener, object]>([
    ['a pointer into JSON', 'json:/build/tags/1', reply(200, {}, '{"build":{"tags":["a","v2"]}}'), { version: 'v2' }],
    ['a pointer with a / and a ~', 'json:/a~1b/~0c', reply(200, {}, '{"a/b":{"~c":"v2"}}'), { version: 'v2' }],
    ['the whole of JSON', 'json:', reply(200, {}, '"v2"'), { version: 'v2' }],
    ['a pointer to what only all objects have', 'json:/constructor/name', good, { error: '200 without a version' }],
    ['the body', 'text', reply(200, {}, ' v2\n'), { version: 'v2' }],
    ['an empty body', 'text', reply(200, {}, '\n'), { error: '200 without a version' }],
    ['an error beside a body', 'text', reply(500, {}, 'oops'), { error: '500 without a version' }],
    ['an error with our header', 'text', reply(500, { 'app-version': 'v2' }, 'oops'), { version: 'v2', error: '500' }],
    ['a header', 'header:X-Build', reply(200, { 'x-build': 'v2', 'app-version': 'v1' }, version), { version: 'v2' }],
    ['no such header', 'header:X-Build', reply(200, { 'app-version': 'v1' }, version), { error: '200 without a version' }],
    ['an error with the header', 'header:X-Build', reply(503, { 'x-build': 'v2' }), { version: 'v2', error: '503' }],
    ['nothing', 'none', reply(200, { 'app-version': 'v1' }, version), {}],
    ['nothing but the role', 'none', reply(200, { 'app-role': 'canary' }), { role: 'canary' }],
    ['an error of a role', 'none', reply(500, { 'app-role': 'canary' }), { role: 'canary', error: '500' }],
    ['an error of nobody', 'none', reply(500), { error: '500 without a version' }],
  ])('takes the version from %s', async (_, source, listener, outcome) => {
    const who = await ask(listener, { versionFrom: versionFrom(source) })
    expect({ ...who, pod: undefined }).toEqual({ ...outcome, took: true, ...(listener === good && { role: 'stable' }) })
  })

  it.each([
    ['header:X-Role', 'canary'],
    ['version', undefined],
  ])('takes the role from %s', async (source, role) => {
    const both = reply(200, { 'x-role': 'canary', 'app-role': 'stable' }, version)
    expect((await ask(both, { roleFrom: roleFrom(source) })).role).toBe(role)
  })

  it.each(['json', 'json:version', 'json:/a~2', 'header:', 'header:a b', 'body', ''])('has no version from "%s"', (source) => {
    expect(() => versionFrom(source)).toThrow('It must be json:/POINTER')
  })

  it.each([
    ['nobody answers', () => {}],
    ['the body never ends', (_, response) => void response.writeHead(200).write('{')],
  ] as [string, RequestListener][])('times out where %s', async (_, listener) => {
    expect(await ask(listener, { timeoutMs: 100 })).toEqual({ error: 'timeout', took: false })
  })

  it('knows who sent a body that never ends', async () => {
    const endless: RequestListener = (_, response) => void response.writeHead(200, identity).write('{')
    expect(await ask(endless, { timeoutMs: 3000, canaryPods: /^pod/ })).toEqual({
      ...{ version: 'v1', role: 'canary', pod: 'pod-1' },
      ...{ error: 'timeout', took: false },
    })
  })

  it('times out though something comes again and again', async () => {
    const drip: RequestListener = (_, response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write(' '), 5)
      response.on('close', () => clearInterval(timer))
    }
    expect(await ask(drip, { timeoutMs: 100 })).toEqual({ error: 'timeout', took: false })
  })

  it('does not read a huge body to its end', async () => {
    const ended = Promise.withResolvers<boolean>()
    const url = await serve((_, response) => {
      response.on('close', () => ended.resolve(response.writableFinished))
      response.writeHead(200).end(Buffer.alloc(50_000_000, ' '))
    })
    expect(await client(url).ask()).toMatchObject({ error: '200 without a version' })
    expect(await ended.promise).toBe(false)
  })

  it('sees that nobody listens', async () => {
    const server = createServer()
    const url = await listen(server)
    server.close()
    expect(await client(url).ask()).toEqual({ error: 'connection refused' })
  })

  it('sees that it is no HTTP', async () => {
    const url = await listen(createTcpServer((socket) => socket.end('hello\r\n\r\n')) as unknown as Server)
    expect((await client(url).ask()).error).toMatch(/^other \(.*HTTP.*\)$/)
  })

  it('goes to the path, with the headers and the host it is told', async () => {
    const seen: object[] = []
    const url = await serve((request, response) => {
      const { host, 'x-canary': canary } = request.headers
      seen.push({ url: request.url, method: request.method, host, canary })
      good(request, response)
    })
    url.pathname = '/prefix/version'
    url.search = '?a=b'
    await client(url, { headers: { host: 'devops-api.internal', 'x-canary': 'always' } }).ask()
    expect(seen).toEqual([{ url: '/prefix/version?a=b', method: 'GET', host: 'devops-api.internal', canary: 'always' }])
  })

  it('takes as long as its last byte', async () => {
    const least = 50
    const url = await serve((_, response) => {
      response.writeHead(200).write(version)
      setTimeout(() => response.end(), least)
    })
    const started = performance.now()
    const { microseconds = 0 } = await client(url).ask()
    expect(microseconds).toBeGreaterThan((least - 2) * 1000)
    expect(microseconds).toBeLessThanOrEqual((performance.now() - started) * 1000)
  })
})

describe('what is sent', () => {
  async function sentTo(url: (origin: string) => string, headers: Record<string, string> = {}) {
    const seen: IncomingMessage[] = []
    const origin = (
      await serve((request, response) => {
        seen.push(request)
        good(request, response)
      })
    ).origin
    expect(await client(new URL(url(origin)), { headers }).ask()).toMatchObject({ version: 'v1' })
    return seen[0]
  }

  it('is a user name and a password, where the URL has them', async () => {
    const sent = async (credentials: string, headers?: Record<string, string>) =>
      (await sentTo((origin) => origin.replace('//', `//${credentials}`), headers))?.headers.authorization
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
    expect(await sent('')).toBeUndefined()
    expect(await sent('ann:secret@')).toBe(basic('ann:secret'))
    expect(await sent('ann@')).toBe(basic('ann:'))
    expect(await sent('an%40n:p%C3%A4ss%3A%2F%zz@')).toBe(basic('an@n:päss:/%zz'))
    expect(await sent('ann:secret@', { authorization: 'Bearer x' })).toBe('Bearer x')
  })

  it('is that no coding is understood', async () => {
    expect((await sentTo((origin) => origin))?.headers['accept-encoding']).toBe('identity')
  })

  it('is the path as it is', async () => {
    expect((await sentTo((origin) => `${origin}/a b/version/?c=d e`))?.url).toBe('/a%20b/version/?c=d%20e')
  })
})

describe('connections', () => {
  async function asked(times: number, some: Partial<Target>, listener: RequestListener = good) {
    const sockets: Socket[] = []
    const server = createServer(listener)
    server.on('connection', (socket) => sockets.push(socket))
    const asking = client(await listen(server), some)
    const outcomes: Outcome[] = []
    for (let i = 0; i < times; i++) outcomes.push(await asking.ask())
    return { outcomes, sockets }
  }

  it('are kept alive and numbered, and a reset one costs one request', async () => {
    let served = 0
    const { outcomes, sockets } = await asked(20, { connections: 1 }, (request, response) =>
      ++served === 3 ? request.socket.resetAndDestroy() : good(request, response),
    )
    expect(outcomes.map(({ error }) => error).filter(Boolean)).toEqual(['connection reset'])
    // One more than are needed at a time, so that chance decides which is next.
    expect(new Set(outcomes.filter(({ error }) => !error).map(({ connection }) => connection))).toEqual(new Set([0, 1]))
    expect([served, sockets.length]).toEqual([20, 3])
  })

  it('are for one request each where that is wanted', async () => {
    const { outcomes, sockets } = await asked(5, { connections: 2, areFresh: true })
    expect(outcomes.map(({ error, connection }) => [error, connection])).toEqual(Array(5).fill([undefined, undefined]))
    expect(sockets).toHaveLength(5)
  })
})
