import { describe, expect, it } from 'vitest'
import { NoAnswer } from '../../../src/canary/sampling/prometheusClient.ts'
import { Sample } from '../../../src/canary/sampling/sample.ts'
import { type Reading, Traffic } from '../../../src/canary/sampling/traffic.ts'
import { histogram, pair, pod, type Scraped, scrapes } from '../fakePrometheus.ts'

const names = { stable: 'devops-api-stable', canary: 'devops-api-canary' }

/** What so many readings, a scrape each, make of counters. */
function read(scrape: (n: number) => readonly Scraped[], readings: number, namespace?: string) {
  const sample = new Sample()
  const traffic = new Traffic(names, namespace, sample)
  const known = scrapes(scrape)
  let reading: Reading | undefined
  for (let n = 0; n < readings; n++) reading = traffic.read(known(n), n * 1000)
  const of = (role: string) => sample.sources.find((source) => source.role === role)
  const [stable, canary] = [of('stable'), of('canary')]
  return { sample, reading, stable, canary, replies: [stable?.replies, canary?.replies], errors: canary?.errors.toJSON() ?? {} }
}

/** A counter of the replies of one of the two. */
const counter = (role: 'stable' | 'canary', value: number, status = '200', more = {}): Scraped => [
  { __name__: 'requests_total', ...pod(role), status, ...more },
  value,
]

describe('Traffic', () => {
  it('is what counters have grown by since the first reading', () => {
    const { sample, stable, canary, reading } = read((n) => pair({ failed: 2 })(n + 5), 4)
    expect([sample.requests, stable?.replies, canary?.replies]).toEqual([3000, 2700, 300])
    expect([canary?.version, canary?.errors.toJSON(), canary?.pods.toJSON(), canary?.podErrors.toJSON()]).toEqual([
      'v2',
      { 500: 6 },
      { 'devops-api-canary-6c9f-1': 300 },
      { 'devops-api-canary-6c9f-1': 6 },
    ])
    expect(reading).toEqual({ fresh: new Set(['stable', 'canary']), begunAnew: [], intervalMs: 200 })
    expect([...sample.blocks].map(({ requests, errors }) => [requests, errors])).toEqual(Array(3).fill([1000, 2]))
  })

  it('has latency as the upper bounds of buckets, of good replies alone', () => {
    const { sample, canary } = read(pair({ failed: 50, canaryBucket: '0.1' }), 3)
    expect([...sample.bounds]).toEqual([25, 50, 100])
    expect([canary?.latency.count, Math.round((canary?.latency.percentile(50) ?? 0) / 1000)]).toEqual([100, 100])
  })

  it('has the first errors, whose series was not there before', () => {
    const { errors } = read((n) => [counter('canary', 100 * n), ...(n > 1 ? [counter('canary', 7, '503')] : [])], 3)
    expect(errors).toEqual({ 503: 7 })
  })

  it('leaves out what a pod had counted before it was met', () => {
    const other = { ...pod('canary', 2), status: '200' }
    const { replies } = read(
      (n) => [counter('canary', 100 * n), ...(n > 1 ? [counter('canary', 5000 + 10 * n, '200', other)] : [])],
      4,
    )
    expect(replies[1]).toBe(300 + 10)
  })

  it('goes on from 0 where a container was restarted, with all of its counters, and names those of canary', () => {
    const started = (n: number) => (n < 3 ? 100 * n : 40 * (n - 2))
    const scrape = (n: number) => [
      counter('stable', started(n)),
      counter('canary', started(n)),
      counter('canary', started(n), '200', { method: 'HEAD' }),
      // As large as before, but counted anew.
      counter('canary', n < 3 ? 5 : 6, '500'),
    ]
    const { replies, errors } = read(scrape, 4)
    expect([replies, errors]).toEqual([[240, 486], { 500: 6 }])
    const sample = new Sample()
    const traffic = new Traffic(names, undefined, sample)
    const known = scrapes(scrape)
    expect([0, 1, 2, 3, 4].map((n) => traffic.read(known(n), n).begunAnew)).toEqual([
      [],
      [],
      [],
      ['devops-api-canary-6c9f-1'],
      [],
    ])
  })

  it('says which labels are of a pod of the two, whether it was scraped or not', () => {
    const traffic = new Traffic(names, 'shop', new Sample())
    const labels = [
      pod('canary', 3),
      { ...pod('canary', 3), namespace: 'elsewhere' },
      { job: 'pods', instance: '10.0.0.9:80', pod: 'other-1' },
    ]
    expect(labels.map(traffic.isScrapedHere)).toEqual([true, false, false])
  })

  it('counts one series from 0 that was dropped and begins again, and no other of that target', () => {
    const target = { instance: 'gateway', status: '200' }
    const series = (name: string, value: number): Scraped => [{ __name__: 'requests_total', service: name, ...target }, value]
    const { replies, reading } = read(
      (n) => [
        series('devops-api-stable', n < 2 ? 1000 * (n + 1) : 5 * n),
        series('devops-api-canary', 100 * n),
        series('x-devops-api-canary', 9 + n),
      ],
      3,
    )
    expect([replies, reading?.begunAnew]).toEqual([[1000 + 10, 2 + 200], []])
  })

  it('leaves out what counts no replies', () => {
    const more = (n: number): Scraped[] => [
      [{ __name__: 'process_resident_memory_bytes', ...pod('canary') }, 1e8 / (n + 1)],
      [{ __name__: 'requests_created', ...pod('canary'), status: '500' }, 1.7e9],
    ]
    const { replies, errors, reading } = read((n) => [counter('canary', 10 * n), ...(n > 0 ? more(n) : [])], 3)
    expect([replies[1], errors, reading?.begunAnew]).toEqual([20, {}, []])
  })

  it('refuses what would be counted twice, and what is no number', () => {
    const twice = (n: number): Scraped[] => [
      counter('canary', n),
      [{ __name__: 'latency_count', ...pod('canary'), status: '200' }, n],
    ]
    expect(() => read(twice, 1)).toThrow(
      '--prometheus-query finds counters of several names, latency_count, requests_total: it must select one',
    )
    expect(() => read((n) => [counter('canary', n), counter('canary', Number.NaN, '500')], 1)).toThrow(
      /^Prometheus has what is no number in \{/,
    )
    expect(() => read((n) => [[{ __name__: 'x_bucket', ...pod('canary'), status: '200', le: 'abc' }, n]], 1)).toThrow(NoAnswer)
  })

  it('holds as many series as there are', () => {
    const many = (n: number) =>
      Array.from(
        { length: 150_000 },
        (_, i): Scraped => [{ __name__: 'requests_total', ...pod('canary'), status: '200', route: `/${i}` }, n],
      )
    expect(read(many, 2).replies[1]).toBe(150_000)
  })

  it('shows nothing that a terminal takes for an order', () => {
    const { canary } = read((n) => [counter('canary', n, '5\u001b[2J', { version: 'v\u0007' })], 2)
    expect([canary?.version, canary?.errors.toJSON()]).toEqual(['v?', { '5?[2J': 1 }])
  })

  it('reads the metrics of a gateway, which names Services', () => {
    const service = (role: string, code: string, values: Record<string, number>) =>
      histogram(
        {
          service: `httproute-shop-devops-api-stable-ep-web-0-c7-svc-shop-devops-api-${role}-1@kubernetesgateway`,
          code,
          instance: 'traefik:8080',
        },
        values,
      )
    const { replies, errors, canary, reading } = read(
      (n) => [
        ...service('stable', '200', { '0.1': 90 * n, '+Inf': 0 }),
        ...service('canary', '200', { '0.1': 9 * n, '+Inf': 0 }),
        ...service('canary', '502', { '0.1': 0, '+Inf': n }),
        ...histogram({ service: 'shop-devops-api-canaryx-1', code: '200' }, { '+Inf': n }),
      ],
      3,
    )
    expect([replies, errors, canary?.version, canary?.pods.size]).toEqual([[180, 20], { 502: 2 }, 'devops-api-canary', 0])
    expect(reading?.fresh.size).toBe(2)
  })

  it('takes counts from counters, and from histograms beside them latency alone', () => {
    const cluster = { envoy_cluster_name: 'devops-api-canary', instance: 'envoy:19001' }
    const { replies, errors, canary, sample } = read(
      (n) => [
        [{ __name__: 'envoy_cluster_upstream_rq_xx', ...cluster, envoy_response_code_class: '2' }, 9 * n],
        [{ __name__: 'envoy_cluster_upstream_rq_xx', ...cluster, envoy_response_code_class: '5' }, n],
        [{ __name__: 'envoy_cluster_upstream_rq_time_bucket', ...cluster, le: '25' }, 8 * n],
        [{ __name__: 'envoy_cluster_upstream_rq_time_bucket', ...cluster, le: '+Inf' }, 10 * n],
        [{ __name__: 'envoy_cluster_upstream_rq_time_sum', ...cluster }, 1000 * n],
      ],
      3,
    )
    expect([replies[1], errors, canary?.latency.count, [...sample.bounds]]).toEqual([20, { 5: 2 }, 20, [25]])
  })

  it('is of one namespace, where series say one', () => {
    const elsewhere = { namespace: 'elsewhere' }
    const scrape = (n: number) => [counter('canary', n), counter('canary', 100 * n, '200', elsewhere)]
    expect(read(scrape, 3, 'shop').replies[1]).toBe(2)
    const withoutNamespace = (n: number): Scraped[] => [[{ __name__: 'requests_total', role: 'canary', status: '200' }, n]]
    expect(read(withoutNamespace, 3, 'shop').replies[1]).toBe(2)
  })

  it('is of the namespace of the Service, where a gateway is in another', () => {
    const service = (namespace: string, n: number) =>
      histogram(
        { namespace: 'traefik', service: `route-ep-web-svc-${namespace}-devops-api-canary-1@kubernetesgateway`, code: '200' },
        { '+Inf': n },
      )
    const both = (own: string) => (n: number) => [...service(own, n), ...service('elsewhere', 100 * n)]
    expect(read(both('shop'), 3, 'shop').replies[1]).toBe(2)
    // Which is also the name of the chart.
    expect(read(both('devops-api'), 3, 'devops-api').replies[1]).toBe(2)
  })
})
