import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { type Outcome, quantileMs, Sample } from '../../../src/canary/sampling/sample.ts'
import { parseExpectation } from '../../../src/canary/verdict/expectation.ts'
import { History } from '../../../src/canary/watch/history.ts'

it('A sample is JSON, with latencies in milliseconds', () => {
  const sample = new Sample()
  for (let ms = 1; ms <= 100; ms++)
    sample.add({ version: 'v1', role: 'stable', pod: ms % 2 ? 'a' : 'b', microseconds: ms * 1000 })
  sample.add({ version: 'v1', role: 'stable', error: '500', microseconds: 9_000_000 })
  sample.add({ version: 'v1', role: 'canary', announced: 'stable=1', error: '500' })
  sample.add({ error: 'timeout' })
  const json = JSON.parse(JSON.stringify(sample))
  const [stable] = json.sources
  for (const [p, ms] of [
    ['p50', 50],
    ['p95', 95],
    ['p99', 99],
  ] as const)
    expect(Math.abs(stable.latencyMs[p] / ms - 1)).toBeLessThan(0.001)
  expect(json).toEqual({
    requests: 103,
    sources: [
      { version: 'v1', role: 'stable', replies: 101, errors: { 500: 1 }, pods: { a: 50, b: 50 }, latencyMs: expect.anything() },
      { version: 'v1', role: 'canary', replies: 1, errors: { 500: 1 }, pods: {}, latencyMs: {} },
    ],
    failures: { timeout: 1 },
    announced: { 'stable=1': 1 },
  })
})

it('Latencies from none at all to more than a minute have their place', () => {
  const sample = new Sample()
  sample.add({ version: 'v1', microseconds: 0.2 })
  sample.add({ version: 'v2', microseconds: 90e6 })
  const [fast, slow] = sample.sources.map(({ latency }) => quantileMs(latency, 0.5) ?? 0)
  expect(fast).toBe(0.001)
  expect(slow).toBeCloseTo(60_000, -2)
})

it('A sample does not grow, however many requests there are and whatever servers make up', () => {
  const sample = new Sample()
  const add = (i: number) =>
    sample.add({
      version: `v${i}`,
      role: `r${i}`,
      pod: `p${i}`,
      announced: `a${i}`,
      error: i % 2 ? `e${i}` : undefined,
      microseconds: i,
    })
  const addMore = (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      add(i)
      sample.add({ version: 'v0', role: 'r0', pod: `p${i}`, error: `e${i}` })
      sample.add({ error: `nothing ${i}` })
    }
  }
  addMore(0, 1000)
  const size = () => JSON.stringify(sample, (_, value) => (typeof value === 'number' ? 0 : value)).length
  const before = size()
  addMore(1000, 100_000)
  expect(sample.requests).toBe(300_000)
  expect(size()).toBe(before)
  expect(sample.sources).toHaveLength(21)
  expect(sample.sources.at(-1)).toMatchObject({ version: '(others)', replies: 100_000 - 20 })
  expect(sample.sources[0]).toMatchObject({ version: 'v0', replies: 100_001 })
  expect(sample.failures.size).toBe(21)
  expect([sample.failures.total, sample.failures.get('(others)')]).toEqual([100_000, 100_000 - 20])
  expect(sample.sources.reduce((sum, { replies }) => sum + replies, 0) + sample.failures.total).toBe(sample.requests)
})

describe('a history', () => {
  const of = (version: string, role?: string, more: Outcome = {}): Outcome => ({ version, role, ...more })

  it('has all, and the last thousand since the announced split has changed', () => {
    const history = new History()
    for (let i = 0; i < 2500; i++) history.add(of('v1', 'stable', { announced: 'stable=1' }), i * 10)
    expect(history.recent(25_000)).toMatchObject({ sample: { requests: 1000 }, seconds: 10 })
    history.add(of('v2', 'canary', { announced: 'canary=1' }), 25_000)
    history.add({ error: 'timeout' }, 25_000)
    history.add(of('v2', 'canary', { announced: 'canary=1' }), 25_000)
    expect(history.recent(27_000)).toMatchObject({ sample: { requests: 3 }, seconds: 2 })
    expect(history.total.requests).toBe(2503)
  })

  it('keeps what came before the first announcement', () => {
    const history = new History()
    history.add({ error: 'timeout' }, 0)
    history.add(of('v1', 'stable', { announced: 'stable=1' }), 0)
    expect(history.recent(0)).toMatchObject({ sample: { requests: 2 }, seconds: 1 })
  })

  it('expects what it is told, else what is announced at last', () => {
    const told = new History(parseExpectation('v1=1'))
    told.add(of('v1', 'stable', { announced: 'stable=50,canary=50' }), 0)
    expect(told.expectation).toEqual([{ version: 'v1', share: 1 }])
    const left = new History()
    expect(left.expectation).toEqual([])
    left.add(of('v1', 'stable', { announced: 'stable=50,canary=50' }), 0)
    left.add(of('v1', 'stable', { announced: 'stable=100' }), 0)
    expect(left.expectation).toEqual([{ role: 'stable', share: 1 }])
    left.add(of('v1', 'stable', { announced: 'nonsense' }), 0)
    expect(left.expectation).toEqual([])
  })

  it("keeps canary's share of each second, for five minutes", () => {
    const history = new History()
    history.endSecond()
    for (const role of ['stable', 'canary', 'stable', 'stable']) history.add(of('v1', role), 0)
    expect(history.endSecond().requests).toBe(4)
    history.add({ error: 'timeout' }, 0)
    history.add(of('v1', 'canary'), 0)
    history.endSecond()
    expect(history.trend).toEqual([undefined, 0.25, 0.5])
    for (let i = 0; i < 1000; i++) history.endSecond()
    expect(history.trend).toHaveLength(300)
  })

  it('knows canary by what is expected, where replies say no role', () => {
    const history = new History(parseExpectation('v1=50,v2=50'))
    history.add(of('v1'), 0)
    history.add(of('v2'), 0)
    history.add(of('v3'), 0)
    history.add(of('v2'), 0)
    history.endSecond()
    expect(history.trend).toEqual([0.5])
  })

  it('lets go of what is long past', () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    const history = new History()
    const first = (() => {
      const outcome = of('v1')
      history.add(outcome, 0)
      return new WeakRef(outcome)
    })()
    for (let i = 0; i < 3000; i++) history.add(of('v1'), 0)
    return new Promise<void>((resolve) => {
      setImmediate(() => {
        collectGarbage()
        expect(first.deref()).toBeUndefined()
        resolve()
      })
    })
  })
})
