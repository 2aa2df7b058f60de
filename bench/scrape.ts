import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { load } from './load.ts'
import { Server } from './server.ts'

// What being scraped costs the service, in interleaved rounds with and without: taskset --cpu-list 1 node bench/scrape.ts
const ROUNDS = 10
const REQUESTS = 150_000
const SCRAPES = 200
const STRANGE = 2_000

const cache = mkdtempSync(join(tmpdir(), 'devops-api-bench-'))
process.once('exit', () => rmSync(cache, { recursive: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
const env = { DEVOPSAPI_VERSION: 'v1.1.1', DEVOPSAPI_ROLE: 'stable', LOG_LEVEL: 'warn', NODE_COMPILE_CACHE: cache }
// The first start fills the cache, and does not count.
await (await Server.start('../src/service/server.ts', env)).stop()
const server = await Server.start('../src/service/server.ts', env)

/** The lines of samples in what a scrape gets, and its size. */
async function scrape(): Promise<{ series: string[]; bytes: number }> {
  const text = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text()
  return { series: text.split('\n').filter((line) => line !== '' && !line.startsWith('#')), bytes: text.length }
}

/** CPU of one, in milliseconds, in a service that does nothing else. */
async function cpuPerScrape(): Promise<number> {
  const before = server.cpuSeconds
  for (let i = 0; i < SCRAPES; i++) await scrape()
  return ((server.cpuSeconds - before) / SCRAPES) * 1000
}

/** CPU of a second in which nobody asks, in milliseconds. */
async function cpuWhenIdle(): Promise<number> {
  const [before, started] = [server.cpuSeconds, performance.now()]
  await sleep(5000)
  return ((server.cpuSeconds - before) / (performance.now() - started)) * 1e6
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'PURGE', 'REPORT']
const paths = ['/version', '/nowhere']

/** A request that no series is kept for, by its method or its path. */
function askStrangely(method: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    request({ port: server.port, host: '127.0.0.1', method, path, agent: false }, (reply) => reply.resume().on('end', resolve))
      .on('error', reject)
      .end()
  })
}

const unasked = await cpuWhenIdle()
const started = performance.now()
await scrape()
const firstMs = performance.now() - started
const asked = await cpuWhenIdle()
const rest = await scrape()
const idle = await cpuPerScrape()

const times = {
  unscraped: { perSecond: [] as number[], p99: [] as number[] },
  scraped: { perSecond: [] as number[], p99: [] as number[] },
}
for (let round = -1; round < ROUNDS; round++) {
  for (const [how, { perSecond, p99 }] of Object.entries(times)) {
    const failures: unknown[] = []
    const timer = how === 'scraped' && setInterval(() => scrape().catch((error) => failures.push(error)), 1000)
    const { seconds, latencies } = await load(server.port, REQUESTS)
    if (timer) clearInterval(timer)
    if (failures.length > 0) throw failures[0]
    // Code that is still cold does not count.
    if (round < 0) continue
    perSecond.push(REQUESTS / seconds)
    p99.push(latencies[Math.floor(REQUESTS * 0.99)] as number)
  }
}

for (const method of methods) for (const path of paths) await askStrangely(method, path)
const loaded = await scrape()
for (let i = 0; i < STRANGE; i++) await askStrangely(methods[i % methods.length] as string, `/nowhere/${i}?${i}`)
const strange = await scrape()
const busy = await cpuPerScrape()
await server.stop()

/** Those of requests: what the process has open, and which garbage was collected, varies by itself. */
const ofRequests = ({ series }: { series: string[] }) => series.filter((line) => line.startsWith('http_')).length
if (ofRequests(strange) !== ofRequests(loaded)) throw new Error(`${ofRequests(loaded)} series became ${ofRequests(strange)}`)

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number
const { unscraped, scraped } = times
console.log(
  `CPU per scrape, ms        ${idle.toFixed(2)} at rest, ${busy.toFixed(2)} with every method and route seen; the first took ${firstMs.toFixed(0)}`,
)
console.log(`CPU when idle, ms per s   ${unasked.toFixed(2)} before the first scrape, ${asked.toFixed(2)} after it`)
console.log(
  `size of a scrape          ${size(rest)} at rest, ${size(loaded)} after load, ${size(strange)} after ${STRANGE.toLocaleString('en')} unknown paths`,
)
report('requests per second', median(unscraped.perSecond), median(scraped.perSecond))
report('p99, ms', median(unscraped.p99), median(scraped.p99))
console.log(
  `\nMedians of ${ROUNDS} interleaved rounds of ${REQUESTS.toLocaleString('en')} requests, with a scrape each second and without; Node ${process.version}.`,
)

function size({ series, bytes }: { series: string[]; bytes: number }): string {
  return `${(bytes / 1024).toFixed(1)} KiB in ${series.length} series`
}

function report(what: string, base: number, value: number): void {
  const format = (number: number) => (number >= 1000 ? Math.round(number).toLocaleString('en') : number.toFixed(2))
  console.log(`${what.padEnd(26)}${format(base)} unscraped, ${format(value)} scraped: ${(value / base).toFixed(3)} ×`)
}
