import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { roles } from '../../src/canary/roles.ts'
import { chart, copyChart, edit, removeChart } from './chart.ts'
import { createNamespace, deleteNamespace, describeNamespace, env, namespace, poll, rolledOut, run } from './cluster.ts'
import { gateway, hostname } from './gateway.ts'
import { Load } from './load.ts'
import { install } from './releases.ts'
import { summary } from './summary.ts'

export const root = join(import.meta.dirname, '../..')
const allowed = new Set(['200 stable v1.1.1', '200 canary v1.1.1-canary', '200 stable v1.1.1-canary'])
/** What users send all the while, once it is started. */
export const load = new Load(() => allowed)
/** Has the load expect an answer as well. */
export const allow = (answer: string) => allowed.add(answer)

beforeAll(async () => {
  copyChart()
  await createNamespace()
})

afterEach(async ({ task }) => {
  const failed = task.result?.state === 'fail'
  if (failed || load.complaint) console.error([load.complaint, await describeNamespace()].join('\n\n'))
  if (!failed) load.expectNothingLost()
})

afterAll(async () => {
  await load.stop()
  console.log(summary())
  await deleteNamespace().finally(removeChart)
})

export const asking = ['--url', `http://${gateway.host}:${gateway.port}`, '--host', hostname]

/** The command line as an operator types it. */
export function start(command: string, ...args: string[]) {
  const place = ['--chart', chart, '--namespace', namespace, ...asking]
  const all = ['src/canary/main.ts', ...command.split(' '), ...args, ...place]
  return execa(process.execPath, all, { cwd: root, env, reject: false, all: true })
}

export async function canary(command: string, ...args: string[]): Promise<{ exitCode: number | undefined; all: string }> {
  const { exitCode, all } = await start(command, ...args)
  return { exitCode, all }
}

export async function weights(): Promise<string> {
  return run(`kubectl get httproute devops-api-stable -n ${namespace} -o jsonpath={.spec.rules[0].backendRefs[*].weight}`)
}

export const values = () => readFileSync(join(chart, 'values-stable.yaml'), 'utf8')

/** Another version for canary, installed and ready. */
export async function newCanary(version: string, ...overlays: string[]): Promise<void> {
  for (const role of ['stable', 'canary']) allowed.add(`200 ${role} ${version}`)
  edit('values-canary.yaml', { 'env.DEVOPSAPI_VERSION': version })
  await install('canary', ...overlays)
  await rolledOut('canary')
}

/** Both releases, installed and ready, with the load on them. */
export async function startUnderLoad(): Promise<void> {
  for (const role of roles) await install(role)
  for (const role of roles) await rolledOut(role)
  await poll(async () =>
    expect(await canary('status')).toEqual({ exitCode: 0, all: expect.stringContaining('All of it agrees.') }),
  )
  load.start()
}
