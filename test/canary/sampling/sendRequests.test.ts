import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Outcome, Sample } from '../../../src/canary/sampling/sample.ts'
import { type Pace, sendRequests } from '../../../src/canary/sampling/sendRequests.ts'
import { type Target, VersionClient } from '../../../src/canary/sampling/versionClient.ts'

async function listen<T extends Pick<Server, 'listen' | 'address' | 'close' | 'once'>>(server: T): Promise<URL> {
  server.listen(0, '127.0.0.1')
  await once(server as unknown as Server, 'listening')
  onTestFinished(() => void server.close())
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/version`)
}

const serve = (listener: RequestListener) => listen(createServer(listener))

function client(url: URL, some: Partial<Target> = {}): VersionClient {
  const client = new VersionClient({ url, headers: {}, connections: 10, timeoutMs: 20_000, ...some })
  onTestFinished(() => client.close())
  return client
}

const version = JSON.stringify({ version: 'v1' })
const identity = { 'app-version': 'v1', 'app-role': 'stable', 'app-pod': 'pod-1' }
const good: RequestListener = (_, response) => void response.writeHead(200, identity).end(version)

const never = new AbortController().signal
const at = (requests: number, pace: Partial<Pace> = {}): Pace => ({ requests, rate: Number.POSITIVE_INFINITY, ...pace })

describe('one request', () => {
  const ask = async (listener: RequestListener, some?: Partial<Target>) => {
    const { microseconds, ...outcome } = await client(await serve(listener), some).ask()
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
  ] as [string, RequestListener, object][])('sees %s', async (_, listener, outcome) => {
    expect(await ask(listener)).toEqual(outcome)
  })

  it.each([
    ['nobody answers', () => {}],
    ['the body never ends', (_, response) => void response.writeHead(200).write('{')],
  ] as [string, RequestListener][])('times out where %s', async (_, listener) => {
    expect(await ask(listener, { timeoutMs: 100 })).toEqual({ error: 'timeout', took: false })
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
    let finish = () => {}
    const url = await serve((_, response) => {
      response.writeHead(200).write(version)
      finish = () => response.end()
    })
    const asked = client(url).ask()
    const started = performance.now()
    const least = 50
    setTimeout(() => finish(), least)
    const { microseconds = 0 } = await asked
    expect(microseconds).toBeGreaterThan((least - 2) * 1000)
    expect(microseconds).toBeLessThanOrEqual((performance.now() - started + 50) * 1000)
  })
})

it('Connections are kept alive, and a reset one costs one request', async () => {
  let connections = 0
  let served = 0
  const server = createServer((request, response) =>
    ++served === 3 ? request.socket.resetAndDestroy() : good(request, response),
  )
  server.on('connection', () => connections++)
  const asking = client(await listen(server), { connections: 1 })
  const errors: (string | undefined)[] = []
  for (let i = 0; i < 6; i++) errors.push((await asking.ask()).error)
  expect(errors).toEqual([undefined, undefined, 'connection reset', undefined, undefined, undefined])
  expect([served, connections]).toEqual([6, 2])
})

it("A sample's counts are those of the server's own ledger", async () => {
  const ledger: Record<string, number> = {}
  const kinds: Record<string, RequestListener> = {
    good,
    canary: (_, response) => void response.writeHead(200, { 'app-role': 'canary' }).end('{"version":"v2"}'),
    error: (_, response) => void response.writeHead(500, identity).end(),
    missing: (_, response) => void response.writeHead(500).end(),
    unready: (_, response) => void response.writeHead(503).end(),
    reset: (request) => request.socket.destroy(),
  }
  const names = Object.keys(kinds)
  let turn = 0
  const url = await serve((request, response) => {
    const name = names[(turn++ * 7 + (turn % 3)) % names.length] as string
    ledger[name] = (ledger[name] ?? 0) + 1
    kinds[name]?.(request, response)
  })
  const sample = new Sample()
  await sendRequests(client(url), at(600), (outcome) => sample.add(outcome), never)
  const { requests, sources, failures } = JSON.parse(JSON.stringify(sample))
  const [stable, canary] = sources.toSorted((a: { version: string }, b: { version: string }) =>
    a.version.localeCompare(b.version),
  )
  const { good: ok = 0, error, missing, unready, reset } = ledger
  expect(requests).toBe(600)
  expect(stable).toMatchObject({
    version: 'v1',
    role: 'stable',
    replies: ok + (error ?? 0),
    errors: { 500: error },
    pods: { 'pod-1': ok + (error ?? 0) },
  })
  expect(canary).toMatchObject({ version: 'v2', role: 'canary', replies: ledger.canary, errors: {}, pods: {} })
  expect(failures).toEqual({ '500 without a version': missing, '503 without a version': unready, 'connection reset': reset })
  expect(Object.keys(ledger).toSorted()).toEqual(names.toSorted())
})

describe('the pace', () => {
  /** A server that answers only when told to. */
  async function hold() {
    const held: (() => void)[] = []
    let most = 0
    let arrived = Promise.withResolvers<void>()
    const url = await serve((request, response) => {
      held.push(() => good(request, response))
      most = Math.max(most, held.length)
      arrived.resolve()
    })
    /** Answers the first, once there are so many. */
    const release = async (count = 1) => {
      while (held.length < count) {
        arrived = Promise.withResolvers()
        await arrived.promise
      }
      held.shift()?.()
    }
    return { url, held, release, most: () => most }
  }

  it('has as many requests under way as there are connections, and no more', async () => {
    const { url, release, most } = await hold()
    const outcomes: Outcome[] = []
    const done = sendRequests(client(url, { connections: 3 }), at(20), (outcome) => outcomes.push(outcome), never)
    for (let left = 20; left > 0; left--) await release(Math.min(3, left))
    await done
    expect(most()).toBe(3)
    expect(outcomes.map(({ version }) => version)).toEqual(Array(20).fill('v1'))
  })

  it('is not slowed down by a slow reply', async () => {
    let answerFirst = () => {}
    let arrived = 0
    const rest = Promise.withResolvers<void>()
    const url = await serve((request, response) => {
      if (++arrived === 50) rest.resolve()
      if (arrived > 1) good(request, response)
      else answerFirst = () => good(request, response)
    })
    let count = 0
    const done = sendRequests(client(url, { connections: 50 }), at(50, { rate: 1000, onBusy: () => {} }), () => count++, never)
    await rest.promise
    answerFirst()
    await done
    expect(count).toBe(50)
  })

  it('says of each request that it was due when all connections were busy, and does not send it', async () => {
    const { url, held, release } = await hold()
    let busy = 0
    let count = 0
    const enough = Promise.withResolvers<void>()
    const done = sendRequests(
      client(url, { connections: 2 }),
      at(30, { rate: 1000, onBusy: () => ++busy === 28 && enough.resolve() }),
      () => count++,
      never,
    )
    await enough.promise
    await release()
    await release()
    await done
    expect([held.length, busy, count]).toEqual([0, 28, 2])
  })

  it('is no faster on average than it is told', async () => {
    const started = performance.now()
    await sendRequests(client(await serve(good)), at(401, { rate: 1000 }), () => {}, never)
    // Six standard deviations less than 400 ms.
    expect(performance.now() - started).toBeGreaterThanOrEqual(330)
  })

  it('falls in step with nothing, as each request comes after a gap of its own', async () => {
    const times: number[] = []
    const url = await serve((request, response) => {
      times.push(performance.now())
      good(request, response)
    })
    await sendRequests(client(url), at(200, { rate: 100 }), () => {}, never)
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0))
    // A quarter of each is to be expected.
    expect(gaps.filter((gap) => gap < 5).length).toBeGreaterThan(25)
    expect(gaps.filter((gap) => gap > 15).length).toBeGreaterThan(25)
  })

  it('does not make up in a burst for what a sleeping machine has missed', async () => {
    const { url } = await hold()
    const stop = new AbortController()
    let busy = 0
    const done = sendRequests(
      client(url, { connections: 1 }),
      at(Number.POSITIVE_INFINITY, { rate: 1000, onBusy: () => busy++ }),
      () => {},
      stop.signal,
    )
    const until = performance.now() + 1500
    while (performance.now() < until);
    for (let i = 0; i < 3; i++) await turn()
    stop.abort()
    await done
    expect(busy).toBeLessThan(500)
  })

  it('ends when told to, without what is still under way', async () => {
    const { url, release } = await hold()
    const stop = new AbortController()
    let count = 0
    const asking = client(url, { connections: 2 })
    const done = sendRequests(asking, at(10), () => ++count === 3 && stop.abort(), stop.signal)
    for (let i = 0; i < 3; i++) await release()
    await done
    await asking.close()
    await turn()
    expect(count).toBe(3)
  })

  it('ends when told to while it waits for the next to be due', async () => {
    const stop = new AbortController()
    let count = 0
    const onOutcome = () => {
      count++
      stop.abort()
    }
    await sendRequests(client(await serve(good)), at(10, { rate: 1 }), onOutcome, stop.signal)
    expect(count).toBe(1)
  })
})
