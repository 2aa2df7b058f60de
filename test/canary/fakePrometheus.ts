import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll } from 'vitest'
import type { ScrapedSeries } from '../../src/canary/sampling/prometheusClient.ts'

type Labels = ScrapedSeries['labels']

/** A counter at a scrape. */
export type Scraped = readonly [labels: Labels, value: number]

export interface Scrapes {
  /** What is scraped the nth time, from 0; undefined where Prometheus is down then. */
  scrape: (n: number) => readonly Scraped[] | undefined
  /** Labels of what cannot be scraped. */
  down?: readonly Labels[]
}

const INTERVAL_S = 0.2
/** The clock of Prometheus is not that of whoever asks. */
const EPOCH_S = 1e9

const servers: Server[] = []
afterAll(() => {
  for (const server of servers) server.close().closeAllConnections()
})

/** What a Prometheus would know after each scrape. */
export function scrapes(scrape: (n: number) => readonly Scraped[]) {
  const all = new Map<string, { labels: Labels; samples: [number, number][] }>()
  return (n: number): ScrapedSeries[] => {
    for (const [labels, value] of scrape(n)) {
      const key = JSON.stringify(labels)
      const series = all.get(key) ?? { labels, samples: [] }
      all.set(key, series)
      series.samples.push([EPOCH_S + n * INTERVAL_S, value])
    }
    return [...all.values()]
  }
}

/** A Prometheus that scrapes whenever it is asked for series. */
export async function fakePrometheus({ scrape, down = [] }: Scrapes) {
  const queries: string[] = []
  let n = 0
  const known = scrapes((n) => scrape(n) ?? [])
  const server = createServer(async (request, response) => {
    const query = `${new URLSearchParams(await text(request)).get('query')}`
    queries.push(query)
    const say = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body))
    const result = (entries: object[]) => say(200, { status: 'success', data: { result: entries } })
    if (query === 'up == 0') return result(down.map((metric) => ({ metric, value: [0, '0'] })))
    if (query.includes('bad'))
      return say(400, { status: 'error', errorType: 'bad_data', error: 'parse error:\nunexpected "bad"' })
    if (query.includes('odd')) return say(200, { status: 'success', data: { result: [{ metric: null }] } })
    // Two by the first time, so that it shows how often it scrapes.
    if (n === 0) known(n++)
    const isDown = scrape(n) === undefined
    const series = known(n++)
    if (isDown) return say(503, { status: 'error', error: 'starting' })
    return result(
      series.map(({ labels, samples }) => ({ metric: labels, values: samples.map(([at, value]) => [at, `${value}`]) })),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  servers.push(server)
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), queries }
}

/** The buckets of a histogram, cumulative, as of the service. */
export function histogram(labels: Labels, counts: Readonly<Record<string, number>>): Scraped[] {
  let sum = 0
  return Object.entries(counts).map(([le, count]) => {
    sum += count
    return [{ __name__: 'http_request_duration_seconds_bucket', ...labels, le }, sum]
  })
}

/** Pods as Prometheus finds them. */
export const pod = (role: 'stable' | 'canary', number = 1) => ({
  job: 'pods',
  instance: `10.0.0.${role === 'stable' ? number : 100 + number}:8080`,
  pod: `devops-api-${role}-6c9f-${number}`,
  namespace: 'shop',
  role,
  version: role === 'stable' ? 'v1' : 'v2',
})

/** Both with so many requests a scrape, of which so many of canary's fail, and take so long at most. */
export function pair({ stable = 900, canary = 100, failed = 0, stableBucket = '0.025', canaryBucket = '0.025' } = {}) {
  return (n: number): Scraped[] => [
    ...histogram({ ...pod('stable'), status: '200' }, { '0.025': 0, '0.05': 0, '0.1': 0, '+Inf': 0, [stableBucket]: stable * n }),
    ...histogram(
      { ...pod('canary'), status: '200' },
      { '0.025': 0, '0.05': 0, '0.1': 0, '+Inf': 0, [canaryBucket]: (canary - failed) * n },
    ),
    ...(failed > 0 && n > 0 ? histogram({ ...pod('canary'), status: '500' }, { '0.025': failed * n, '+Inf': 0 }) : []),
  ]
}
