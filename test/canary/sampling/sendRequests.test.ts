import type { RequestListener } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { type Outcome, Sample } from '../../../src/canary/sampling/sample.ts'
import { type Pace, sendRequests } from '../../../src/canary/sampling/sendRequests.ts'
import { client, good, identity, serve } from './servers.ts'

const never = new AbortController().signal
const at = (requests: number, pace: Partial<Pace> = {}): Pace => ({ requests, rate: Number.POSITIVE_INFINITY, ...pace })

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
    const done = sendRequests(client(url, { connections: 50 }), at(50, { rate: 1000 }), () => count++, never)
    await rest.promise
    answerFirst()
    await done
    expect(count).toBe(50)
  })

  it('gives up a request that has waited for a connection for a second, says so, and sends another later', async () => {
    const enough = Promise.withResolvers<void>()
    const url = await serve(async (request, response) => {
      await enough.promise
      good(request, response)
    })
    let unsent = 0
    const outcomes: Outcome[] = []
    await sendRequests(
      client(url, { connections: 2 }),
      at(20, { rate: 1000, onUnsent: () => ++unsent === 30 && enough.resolve() }),
      (outcome) => outcomes.push(outcome),
      never,
    )
    expect(unsent).toBeGreaterThanOrEqual(30)
    expect(outcomes.map(({ version }) => version)).toEqual(Array(20).fill('v1'))
  })

  it('counts no latency before a request is sent, however long it waited for a connection', async () => {
    let isFirst = true
    const url = await serve((request, response) => {
      setTimeout(() => good(request, response), isFirst ? 300 : 0)
      isFirst = false
    })
    let total = 0
    const started = performance.now()
    await sendRequests(
      client(url, { connections: 1 }),
      at(20, { rate: 1000 }),
      ({ microseconds = 0 }) => {
        total += microseconds / 1000
      },
      never,
    )
    // One after the other, they take no longer together than it takes.
    expect(total).toBeLessThanOrEqual(performance.now() - started)
  })

  it('says at the end what is due and not sent', async () => {
    const { url, release } = await hold()
    const stop = new AbortController()
    let unsent = 0
    const asking = client(url, { connections: 1 })
    const until = performance.now() + 100
    const done = sendRequests(asking, at(1000, { rate: 1000, onUnsent: () => unsent++ }), () => {}, stop.signal)
    while (performance.now() < until) await turn()
    stop.abort()
    await done
    await release()
    expect(unsent).toBeGreaterThan(20)
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
    let unsent = 0
    const done = sendRequests(
      client(url, { connections: 1 }),
      at(Number.POSITIVE_INFINITY, { rate: 1000, onUnsent: () => unsent++ }),
      () => {},
      stop.signal,
    )
    const until = performance.now() + 2500
    while (performance.now() < until);
    for (let i = 0; i < 3; i++) await turn()
    stop.abort()
    await done
    expect(unsent).toBeLessThan(500)
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

it('never sets a timer into the past, however late it is', async () => {
  const delays = vi.spyOn(globalThis, 'setTimeout')
  let now = performance.now()
  // Each look at the clock comes 700 ms after the one before.
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 700))
  const url = await serve((_, response) => void setImmediate(() => response.writeHead(200, identity).end('{"version":"v1"}')))
  try {
    await sendRequests(client(url, { connections: 1 }), at(20, { rate: 1000 }), () => {}, never)
    expect(delays.mock.calls.map(([, ms]) => ms ?? 0).filter((ms) => ms < 0)).toEqual([])
  } finally {
    vi.restoreAllMocks()
  }
})
