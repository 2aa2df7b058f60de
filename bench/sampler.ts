import { Agent, get } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { sendRequests } from '../src/canary/sampling/sendRequests.ts'
import { VersionClient } from '../src/canary/sampling/versionClient.ts'
import { parseExpectation } from '../src/canary/verdict/expectation.ts'
import { sampleAndJudge } from '../src/canary/verdict/sampleAndJudge.ts'
import { History } from '../src/canary/watch/history.ts'
import { Server } from './server.ts'

// The canary CLI's sampler beside a plain loop over node:http, in interleaved rounds: taskset --cpu-list 1 node bench/sampler.ts
const ROUNDS = 30
const REQUESTS = 500
const CONNECTIONS = 10
const FEW = 1000
const MANY = 100_000

const server = await Server.start('bare-http.ts', {})
const url = new URL(`http://127.0.0.1:${server.port}/version`)
const target = { url, headers: {}, connections: CONNECTIONS, timeoutMs: 10_000 }
const rate = Number.POSITIVE_INFINITY
const { signal } = new AbortController()

/** Milliseconds: of each round, and of each request. */
const times = {
  plain: { wall: [] as number[], latency: [] as number[] },
  check: { wall: [] as number[], latency: [] as number[] },
}

/** As little as it takes to ask so often, on as many connections. */
async function plainLoop(latencies: number[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const ask = () =>
    new Promise<void>((resolve, reject) => {
      const started = performance.now()
      get(url, { agent }, (reply) => {
        reply.resume().on('end', () => {
          latencies.push(performance.now() - started)
          resolve()
        })
      }).on('error', reject)
    })
  let left = REQUESTS
  const askOn = async () => {
    while (left-- > 0) await ask()
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, askOn))
  agent.destroy()
}

const limits = { maxErrorRate: 0.01, tolerance: 0.05, maxErrorIncrease: 0.01, detect: 0.03, maxP95IncreaseMs: 20, strict: true }
const expectation = parseExpectation('v1.1.1=100')

async function wholeCheck(latencies: number[]): Promise<void> {
  const { sample, verdict } = await sampleAndJudge({ target, expectation, limits, requests: REQUESTS, rate, signal })
  if (verdict !== 'PASS') throw new Error(JSON.stringify(sample))
  for (const { latency } of sample.sources)
    for (let i = 1; i <= REQUESTS; i++) latencies.push(latency.percentile((i / REQUESTS) * 100) / 1000)
}

async function timed(run: (latencies: number[]) => Promise<void>, { wall, latency }: { wall: number[]; latency: number[] }) {
  const started = performance.now()
  await run(latency)
  wall.push(performance.now() - started)
}

for (let round = -3; round < ROUNDS; round++) {
  await timed(plainLoop, times.plain)
  await timed(wholeCheck, times.check)
  // Code that is still cold does not count.
  if (round < 0) for (const { wall, latency } of Object.values(times)) wall.length = latency.length = 0
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const history = new History()
const client = new VersionClient(target)

/** MiB in use, once there have been so many requests. */
async function memoryAfter(requests: number): Promise<number> {
  const pace = { requests: requests - history.total.requests, rate }
  await sendRequests(client, pace, (outcome) => history.add(outcome, performance.now()), signal)
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 2 ** 20
}

const [few, many] = [await memoryAfter(FEW), await memoryAfter(MANY)]
await client.close()
await server.stop()

const quantile = (values: number[], q: number) => values.toSorted((a, b) => a - b)[Math.floor(values.length * q)] as number
const { plain, check: whole } = times
report(`${REQUESTS} requests, ms`, quantile(plain.wall, 0.5), quantile(whole.wall, 0.5), 'the plain loop')
report('latency p50, ms', quantile(plain.latency, 0.5), quantile(whole.latency, 0.5), 'the plain loop')
report('latency p99, ms', quantile(plain.latency, 0.99), quantile(whole.latency, 0.99), 'the plain loop')
report('memory, MiB', few, many, `after ${FEW.toLocaleString('en')} instead of ${MANY.toLocaleString('en')} requests`)
console.log(`\nMedians of ${ROUNDS} interleaved rounds over ${CONNECTIONS} connections; Node ${process.version}.`)

function report(what: string, base: number, value: number, than: string): void {
  const numbers = [base, value].map((number) => number.toFixed(2).padStart(9)).join('')
  console.log(`${what.padEnd(20)}${numbers}   ${(value / base).toFixed(2)} × ${than}`)
}
