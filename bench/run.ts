import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load } from './load.ts'
import { Server } from './server.ts'

const ROUNDS = 20
const REQUESTS = 15_000
const BOOTS = Number(process.env.BOOTS ?? 15)

const subjects = [
  { name: 'bare node:http', file: 'bare-http.ts' },
  { name: 'bare Fastify', file: 'bare-fastify.ts' },
  ...(process.env.SUBJECTS?.split(',') ?? ['../src/service/server.ts']).map((file) => ({ name: file, file })),
]
const cache = mkdtempSync(join(tmpdir(), 'devops-api-bench-'))
const env = { DEVOPSAPI_ROLE: 'stable', DEVOPSAPI_POD: 'devops-api-stable-6d8d7968d9-4wln7', NODE_COMPILE_CACHE: cache }
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number

const rows = subjects.map(({ name, file }) => ({
  name,
  file,
  boot: [] as number[],
  cpu: [] as number[],
  rps: [] as number[],
  p50: [] as number[],
  p99: [] as number[],
  memory: 0,
}))
for (const row of rows) await Server.start(row.file, env).then(({ server }) => server.stop())
for (let i = 0; i < BOOTS; i++) {
  for (const row of rows) {
    const { server, bootMs } = await Server.start(row.file, env)
    row.boot.push(bootMs)
    await server.stop()
  }
}
const servers = await Promise.all(rows.map(async (row) => ({ row, server: (await Server.start(row.file, env)).server })))
for (const { server } of servers) await load(server.port, REQUESTS)
for (let i = 0; i < ROUNDS; i++) {
  for (const { row, server } of servers) {
    const before = server.cpu
    const { seconds, latencies } = await load(server.port, REQUESTS)
    row.cpu.push(((server.cpu - before) / REQUESTS) * 1e6)
    row.rps.push(REQUESTS / seconds)
    row.p50.push(latencies[latencies.length >> 1] as number)
    row.p99.push(latencies[Math.floor(latencies.length * 0.99)] as number)
  }
}
for (const { row, server } of servers) {
  row.memory = server.memory
  await server.stop()
}
rmSync(cache, { recursive: true })
for (const r of rows)
  console.log(
    r.name.padEnd(50),
    'boot',
    median(r.boot).toFixed(0),
    'cpu',
    median(r.cpu).toFixed(2),
    (median(r.cpu) / median(rows[1]?.cpu)).toFixed(3),
    'min',
    (Math.min(...r.cpu) / Math.min(...rows[1]?.cpu)).toFixed(3),
    'rps',
    median(r.rps).toFixed(0),
    'p50',
    median(r.p50).toFixed(2),
    'p99',
    median(r.p99).toFixed(2),
    'rss',
    r.memory.toFixed(0),
  )
