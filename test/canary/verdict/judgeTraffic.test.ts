import { describe, expect, it } from 'vitest'
import { metricsOf } from '../../../src/canary/sampling/metricsOf.ts'
import { parseExpectation } from '../../../src/canary/verdict/expectation.ts'
import { judgeTraffic, type TrafficOptions } from '../../../src/canary/verdict/judgeTraffic.ts'
import { fakePrometheus, histogram, pair, pod, type Scrapes } from '../fakePrometheus.ts'
import { limits } from './samples.ts'

async function judged(scrapes: Scrapes, options: Partial<TrafficOptions> = {}) {
  const { url, queries } = await fakePrometheus(scrapes)
  const troubles = new Set<string>()
  const report = await judgeTraffic({
    prometheus: url,
    selector: `${metricsOf.service}`,
    bake: 1500,
    names: { stable: 'devops-api-stable', canary: 'devops-api-canary' },
    expectation: parseExpectation('90/10'),
    limits,
    patience: 60_000,
    signal: new AbortController().signal,
    onProgress: (_elapsed, _sample, trouble) => trouble !== undefined && troubles.add(trouble.replaceAll(`${url.port}`, 'PORT')),
    ...options,
  })
  return {
    ...report,
    queries,
    troubles: [...troubles],
    reasons: report.gates.map(({ verdict, reason }) => `${verdict}: ${reason}`),
  }
}

describe.concurrent('Real traffic', () => {
  it('passes at the end of the least time, and not before', async () => {
    const { verdict, seconds, reasons, url, from, queries } = await judged({ scrape: pair() })
    expect([verdict, from, seconds >= 1.5, url]).toEqual(['PASS', 'real traffic', true, expect.stringMatching(/^http:\S+:\d+$/)])
    expect(reasons).toEqual([
      expect.stringMatching(/^PASS: 0 of [\d,]+ requests failed/),
      expect.stringMatching(/^NOT APPLICABLE: of real traffic, stable [\d,]+ \(90 %\), canary [\d,]+ \(10 %\): not judged$/),
      expect.stringMatching(
        /^PASS: canary failed 0 .*; canary's p95 is up to 25 ms, stable's up to 25 ms, allowed: 20 ms more, which its buckets tell as 50 ms$/,
      ),
    ])
    expect(queries[0]).toBe(`${metricsOf.service}[150s]`)
    expect(queries.at(-2)).toMatch(/\[\d+s\]$/)
    expect(queries.at(-1)).toBe('up == 0')
  })

  it('fails as soon as canary is surely worse', async () => {
    const { verdict, seconds, reasons } = await judged({ scrape: pair({ failed: 20 }) }, { bake: 60_000 })
    expect([verdict, seconds < 60]).toEqual(['FAIL', true])
    expect(reasons[2]).toMatch(/^FAIL: canary failed [\d,]+ of [\d,]+ \(20 %\), stable 0 of/)
  })

  it('fails where canary is slower by a bucket more than is allowed', async () => {
    const { reasons } = await judged({ scrape: pair({ canaryBucket: '0.1' }) }, { bake: 60_000 })
    expect(reasons[2]).toMatch(/^FAIL: canary's p95 is up to 100 ms, stable's up to 25 ms/)
  })

  it('is not told apart within a bucket, nor beyond the last one', async () => {
    expect((await judged({ scrape: pair({ canaryBucket: '0.05' }) })).verdict).toBe('PASS')
    const slow = (n: number) =>
      (['stable', 'canary'] as const).flatMap((role) =>
        histogram({ ...pod(role), status: '200' }, { '0.025': 0, '+Inf': (role === 'stable' ? 900 : 100) * n }),
      )
    const { verdict, reasons } = await judged({ scrape: slow }, { patience: 1000 })
    expect((await judged({ scrape: pair() }, { limits: { ...limits, maxP95IncreaseMs: 60_000 } })).verdict).toBe('PASS')
    expect([verdict, reasons[2]]).toEqual([
      'INCONCLUSIVE',
      expect.stringContaining('which its buckets tell as more than the last one'),
    ])
  })

  it('of too few requests is inconclusive, once patience is over as well', async () => {
    const { verdict, seconds, reasons } = await judged({ scrape: pair({ stable: 9, canary: 1 }) }, { patience: 1000 })
    expect([verdict, seconds >= 2.5]).toEqual(['INCONCLUSIVE', true])
    expect(reasons[2]).toContain('too few requests to tell: as a rule, that takes 1,')
  })

  it('is no fault where few users meet canary, or all are slower than the last bucket', async () => {
    const few = await judged(
      { scrape: pair({ stable: 20_000, canary: 20 }) },
      { patience: 1000, expectation: parseExpectation('50/50') },
    )
    expect([few.verdict, few.reasons[2]]).toEqual([
      'INCONCLUSIVE',
      expect.stringContaining('too few replies of one of the two to tell'),
    ])
    const slow = await judged(
      { scrape: pair({ stable: 40_000, canary: 4000, stableBucket: '+Inf', canaryBucket: '+Inf' }) },
      { patience: 1000 },
    )
    expect([slow.verdict, slow.reasons[2]]).toEqual([
      'INCONCLUSIVE',
      expect.stringContaining("canary's p95 is more than 100 ms, stable's more than 100 ms"),
    ])
  })

  it('is judged by errors alone where the metrics have no latency', async () => {
    const scrape = (n: number) =>
      (['stable', 'canary'] as const).map(
        (role) => [{ __name__: 'requests_total', ...pod(role), code: '200' }, (role === 'stable' ? 900 : 100) * n] as const,
      )
    const { verdict, reasons } = await judged({ scrape }, { selector: 'requests_total{}' })
    expect([verdict, reasons[2]]).toEqual([
      'PASS',
      expect.stringMatching(/; latency is not judged, as the metrics do not tell it$/),
    ])
  })

  it.each([
    [
      'canary is not scraped any more',
      { scrape: (n: number) => pair()(n).filter(({ 0: { role } }) => n < 3 || role === 'stable') },
      /^Prometheus has had no new metrics of canary for \d+ s$/,
    ],
    [
      'a pod has never been scraped',
      { scrape: pair(), down: [pod('canary', 2)] },
      /^Prometheus cannot scrape devops-api-canary-6c9f-2$/,
    ],
    [
      'one of several pods cannot be scraped',
      {
        scrape: (n: number) => [...pair()(n), ...(n < 3 ? histogram({ ...pod('canary', 2), status: '200' }, { '+Inf': n }) : [])],
        down: [pod('canary', 2)],
      },
      /^Prometheus cannot scrape devops-api-canary-6c9f-2$/,
    ],
    [
      'Prometheus is down',
      { scrape: (n: number) => (n < 3 ? pair()(n) : undefined) },
      /^Prometheus at http:\S+ answers 503: starting$/,
    ],
    [
      'there are no metrics of canary',
      { scrape: (n: number) => pair()(n).filter(({ 0: { role } }) => role === 'stable') },
      /^Prometheus has no metrics of canary: no series of http_request_duration_seconds_bucket\S* that is scraped names devops-api-canary$/,
    ],
    [
      'a container of canary was restarted',
      { scrape: (n: number) => pair()(n < 4 ? n + 1 : n - 4) },
      /^the counters of devops-api-canary-6c9f-1 began anew, as when a container is restarted/,
    ],
  ])('is inconclusive where %s', async (_what, scrapes, reason) => {
    const { verdict, gates } = await judged(scrapes, { bake: 60_000, patience: 1000 })
    expect(verdict).toBe('INCONCLUSIVE')
    expect(gates.map((gate) => [gate.verdict, gate.reason])).toEqual(
      Array(3).fill(['INCONCLUSIVE', expect.stringMatching(reason)]),
    )
  })

  it('goes on where metrics come back, and has lost nothing', async () => {
    const whole = pair()
    const { verdict, sample, troubles } = await judged({ scrape: (n) => (n === 2 || n === 3 ? undefined : whole(n)) })
    expect([verdict, troubles, sample.requests % 1000]).toEqual([
      'PASS',
      ['Prometheus at http://127.0.0.1:PORT answers 503: starting'],
      0,
    ])
  })

  it('ends when it is interrupted, and passes nothing', async () => {
    const stop = new AbortController()
    const { verdict, reasons } = await judged(
      { scrape: pair() },
      { bake: 60_000, signal: stop.signal, onProgress: (_elapsed, { requests }) => requests > 5000 && stop.abort() },
    )
    expect([verdict, reasons[0]]).toEqual(['INCONCLUSIVE', expect.stringMatching(/^INCONCLUSIVE: ended after \d+ s of 60 s$/)])
  })
})
