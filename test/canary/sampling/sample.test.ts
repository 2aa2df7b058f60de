import { expect, it } from 'vitest'
import { emptyLatency, quantileMs, Sample, slowerThan } from '../../../src/canary/sampling/sample.ts'

it('A sample is JSON, with latencies in milliseconds', () => {
  const sample = new Sample()
  for (let ms = 1; ms <= 100; ms++)
    sample.add({ version: 'v1', role: 'stable', pod: ms % 2 ? 'a' : 'b', microseconds: ms * 1000 })
  sample.add({ version: 'v1', role: 'stable', pod: 'a', error: '500', microseconds: 9_000_000 })
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
    unsent: 0,
    sources: [
      {
        version: 'v1',
        role: 'stable',
        replies: 101,
        errors: { 500: 1 },
        pods: { a: 51, b: 50 },
        podErrors: { a: 1 },
        latencyMs: expect.anything(),
      },
      {
        version: 'v1',
        role: 'canary',
        replies: 1,
        errors: { 500: 1 },
        pods: {},
        podErrors: {},
        latencyMs: { p50: null, p95: null, p99: null },
      },
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
  expect([...sample.blocks].length).toBeLessThanOrEqual(64)
  expect(sample.failures.size).toBe(21)
  expect([sample.failures.total, sample.failures.get('(others)')]).toEqual([100_000, 100_000 - 20])
  expect(sample.sources.reduce((sum, { replies }) => sum + replies, 0) + sample.failures.total).toBe(sample.requests)
})

it('Replies that are slower than something are counted', () => {
  const latency = emptyLatency()
  expect(slowerThan(latency, 0)).toBe(0)
  for (let ms = 1; ms <= 200; ms++) latency.record(ms * 1000)
  expect([0.5, 1.5, 100.5, 199.5, 200.5, 1e6].map((ms) => slowerThan(latency, ms))).toEqual([200, 199, 100, 1, 0, 0])
})
