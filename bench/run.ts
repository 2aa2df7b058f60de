import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundle } from '../build.ts'
import { CONNECTIONS, load } from './load.ts'
import { Server } from './server.ts'

const BOOTS = 15
const ROUNDS = 30
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
  memoryMiB = 0

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

const contest = await Promise.all(subjects.map(async (subject) => ({ subject, server: await Server.start(subject.file, env) })))
for (const { server } of contest) await load(server.port, REQUESTS)
const started = { wall: performance.now(), cpu: process.cpuUsage() }
let serversCpu = 0
for (let round = 0; round < ROUNDS; round++) {
  for (const { subject, server } of contest) {
    const before = server.cpuSeconds
    const { seconds, latencies } = await load(server.port, REQUESTS)
    const cpu = server.cpuSeconds - before
    serversCpu += cpu
    subject.cpuMicroseconds.push((cpu / REQUESTS) * 1e6)
    subject.requestsPerSecond.push(REQUESTS / seconds)
    subject.p50.push(latencies[Math.floor(REQUESTS * 0.5)] as number)
    subject.p99.push(latencies[Math.floor(REQUESTS * 0.99)] as number)
  }
}
const wall = (performance.now() - started.wall) * 1000
const { user, system } = process.cpuUsage(started.cpu)

for (const { subject, server } of contest) {
  // Where there are metrics, what collects them is part of the memory; the bare servers answer anything.
  await fetch(`http://127.0.0.1:${server.port}/metrics`).then((reply) => reply.text())
  subject.memoryMiB = server.memoryMiB
  await server.stop()
}

report('start to first answer, ms', (subject) => median(subject.bootMs), bareHttp, 2)
report('CPU per request, µs', (subject) => median(subject.cpuMicroseconds), bareFastify, 1.05)
report('requests per second', (subject) => median(subject.requestsPerSecond), bareFastify)
report('p50, ms', (subject) => median(subject.p50), bareFastify)
report('p99, ms', (subject) => median(subject.p99), bareFastify)
report('memory after load, MiB', (subject) => subject.memoryMiB, bareHttp, 1.2)
console.log(
  `\nMedians of ${BOOTS} starts and ${ROUNDS} interleaved rounds of ${REQUESTS} requests over ${CONNECTIONS} connections; Node ${process.version}.` +
    `\nThe servers kept their core ${percent(serversCpu * 1e6, wall)} busy, the load generator its own ${percent(user + system, wall)}.`,
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
