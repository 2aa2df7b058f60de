import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundle } from '../build.ts'
import { CONNECTIONS, load } from './load.ts'
import { Server } from './server.ts'

const BOOTS = 15
// How the compiler optimizes differs from process to process, by several percent.
const PROCESSES = 5
const ROUNDS = 6
const REQUESTS = 15_000

// All get the same environment, and a compile cache as warm as the image's.
const cache = mkdtempSync(join(tmpdir(), 'devops-api-bench-'))
process.once('exit', () => rmSync(cache, { recursive: true }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
const env = {
  DEVOPSAPI_VERSION: 'v1.1.1',
  DEVOPSAPI_ROLE: 'stable',
  DEVOPSAPI_POD: 'devops-api-stable-6d8d7968d9-4wln7',
  LOG_LEVEL: 'warn',
  NODE_COMPILE_CACHE: cache,
}

class Subject {
  readonly name: string
  readonly file: string
  readonly bootMs: number[] = []
  readonly cpuMicroseconds: number[] = []
  readonly requestsPerSecond: number[] = []
  readonly p50: number[] = []
  readonly p99: number[] = []
  readonly memoryMiB: number[] = []

  constructor(name: string, file: string) {
    this.name = name
    this.file = file
  }
}

const bareHttp = new Subject('bare node:http', 'bare-http.ts')
const bareFastify = new Subject('bare Fastify', 'bare-fastify.ts')
const source = new Subject('source', '../src/service/server.ts')
// As the image has it.
const published = new Subject('published', join(cache, 'app/service/server.js'))
await bundle(join(cache, 'app'))
const subjects = [bareHttp, bareFastify, source, published]

// The first start of each fills the cache, and does not count.
for (const { file } of subjects) await (await Server.start(file, env)).stop()

for (let boot = 0; boot < BOOTS; boot++) {
  for (const { file, bootMs } of subjects) {
    const server = await Server.start(file, env)
    bootMs.push(server.bootMs)
    await server.stop()
  }
}

let [serversCpu, ownCpu, wall] = [0, 0, 0]
for (let each = 0; each < PROCESSES; each++) {
  const contest = await Promise.all(subjects.map(async (subject) => ({ subject, server: await Server.start(subject.file, env) })))
  for (const { server } of contest) await load(server.port, REQUESTS)
  const [startedAt, cpuAtStart] = [performance.now(), process.cpuUsage()]
  for (let round = 0; round < ROUNDS; round++) {
    for (const { subject, server } of contest) {
      const before = server.cpuSeconds
      const { seconds, latencies } = await load(server.port, REQUESTS)
      const cpu = server.cpuSeconds - before
      serversCpu += cpu * 1e6
      subject.cpuMicroseconds.push((cpu / REQUESTS) * 1e6)
      subject.requestsPerSecond.push(REQUESTS / seconds)
      subject.p50.push(latencies[Math.floor(REQUESTS * 0.5)] as number)
      subject.p99.push(latencies[Math.floor(REQUESTS * 0.99)] as number)
    }
  }
  const { user, system } = process.cpuUsage(cpuAtStart)
  ownCpu += user + system
  wall += (performance.now() - startedAt) * 1000
  for (const { subject, server } of contest) {
    // Where there are metrics, what collects them is part of the memory; the bare servers answer anything.
    await fetch(`http://127.0.0.1:${server.port}/metrics`).then((reply) => reply.text())
    subject.memoryMiB.push(server.memoryMiB)
    await server.stop()
  }
}

report('start to first answer, ms', (subject) => median(subject.bootMs), bareHttp, 2)
report('CPU per request, µs', (subject) => median(subject.cpuMicroseconds), bareFastify, 1.05)
report('requests per second', (subject) => median(subject.requestsPerSecond), bareFastify)
report('p50, ms', (subject) => median(subject.p50), bareFastify)
report('p99, ms', (subject) => median(subject.p99), bareFastify)
report('memory after load, MiB', (subject) => median(subject.memoryMiB), bareHttp, 1.2)
console.log(
  `\nMedians of ${BOOTS} starts, and of ${PROCESSES} processes with ${ROUNDS} interleaved rounds of ${REQUESTS} requests over ${CONNECTIONS} connections each; Node ${process.version}.` +
    `\nThe servers kept their core ${percent(serversCpu, wall)} busy, the load generator its own ${percent(ownCpu, wall)}.`,
)

function report(what: string, value: (subject: Subject) => number, base: Subject, goal?: number): void {
  const cells = subjects.map((subject) => `${subject.name} ${format(value(subject))}`)
  const ratio = value(published) / value(base)
  const verdict = goal === undefined ? '' : `, goal ${goal.toFixed(2)}: ${ratio <= goal ? 'reached' : 'missed'}`
  console.log(`${what.padEnd(26)}${cells.map((cell) => cell.padEnd(24)).join('')}${ratio.toFixed(2)} × ${base.name}${verdict}`)
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number
}

function format(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 20 ? 0 : 2)
}

function percent(part: number, whole: number): string {
  return `${Math.round((part / whole) * 100)} %`
}
