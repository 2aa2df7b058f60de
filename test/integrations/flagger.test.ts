import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { chart, copyChart, edit, removeChart } from '../e2e/chart.ts'
import {
  createNamespace,
  deleteNamespace,
  describeNamespace,
  env,
  namespace,
  objects,
  podNames,
  poll,
  rolledOut,
  run,
  sh,
} from '../e2e/cluster.ts'
import { ask, gateway, hostname, type Reply } from '../e2e/gateway.ts'
import { Load, RATE } from '../e2e/load.ts'
import { expectNoDrift } from '../e2e/noDrift.ts'
import { install } from '../e2e/releases.ts'
import { distinct, sample } from '../e2e/split.ts'
import { binomial } from '../e2e/statistics.ts'
import { inSeconds, note, summary } from '../e2e/summary.ts'
import { readmeOf } from '../markdown.ts'
import { follow } from './follow.ts'
import { prometheusForControllers } from './prometheus.ts'

const root = join(import.meta.dirname, '../..')
const injected = '500 stable injected fault'
const allowed = new Set(['200 stable v1.1.1'])
const load = new Load(() => allowed)

/** As the README gives it to the CLI. */
const canaryPods = /--canary-pods '(.*?)'/.exec(readmeOf('integrations/flagger'))?.[1] ?? ''
const isCanary = ({ pod }: Reply) => new RegExp(canaryPods).test(pod)
const isPrimary = ({ pod }: Reply) => /^devops-api-stable-primary-/.test(pod)

/** What Flagger says of its Canary, from a watch, because Kubernetes soon combines events of one reason. */
const messages: string[] = []
let stopWatching = () => {}
let pristine: string[]

beforeAll(async () => {
  copyChart()
  edit('../integrations/flagger/metric-template.yaml', { 'spec.provider.address': prometheusForControllers })
  await createNamespace()
  pristine = await objects()
  const ofCanary = ['--namespace', namespace, '--field-selector', 'involvedObject.kind=Canary']
  const events = ['get', 'events', ...ofCanary, '--watch', '--output', 'jsonpath={.message}{"\\n"}']
  const watching = execa('kubectl', events, { env, reject: false, buffer: false })
  stopWatching = () => void watching.kill()
  createInterface(watching.stdout).on('line', (line) => messages.push(line))
})

afterEach(async ({ task }) => {
  const failed = task.result?.state === 'fail'
  if (failed || load.complaint) console.error([load.complaint, messages.join('\n'), await describeNamespace()].join('\n\n'))
  if (!failed) load.expectNothingLost()
})

afterAll(async () => {
  stopWatching()
  await load.stop()
  console.log(summary())
  await deleteCanaries()
    .then(() => deleteNamespace())
    .finally(removeChart)
})

/** Even where a failed test has left Flagger waiting for a Deployment that is gone or will never be ready. */
async function deleteCanaries(): Promise<void> {
  await run(`kubectl delete canaries --all --wait=false -n ${namespace}`)
  const stuck = await run(`kubectl get canaries -o name -n ${namespace}`)
  for (const name of stuck.split('\n').filter(Boolean))
    await run(`kubectl patch ${name} --type=merge -p {"metadata":{"finalizers":null}} -n ${namespace}`)
}

const files = '--values values-stable.yaml --values ../integrations/flagger/values.yaml'
const upgrade = () => run(`helm upgrade devops-api-stable . ${files} -n ${namespace}`)

async function canaryIs(path: string, value: string | number): Promise<void> {
  await run(`kubectl wait canary/devops-api-stable --for=jsonpath={.status.${path}}=${value} --timeout=180s -n ${namespace}`)
}

/** Everything that Flagger makes or changes, without what Kubernetes reports about it. */
async function taken() {
  const { items } = JSON.parse(await run(`kubectl get services,httproutes,deployments -o json -n ${namespace}`))
  return (items as Taken[]).map(({ kind, metadata: { name, uid, generation }, spec }) => ({ kind, name, uid, generation, spec }))
}

interface Taken {
  kind: string
  metadata: { name: string; uid: string; generation?: number }
  spec: { rules?: { backendRefs: { name: string; weight?: number }[] }[]; selector?: Record<string, string> }
}

/** The same without weights, which may move at any time during an analysis. */
async function takenButWeights() {
  return (await taken()).map(({ generation, spec, ...rest }) => ({
    ...rest,
    generation: rest.kind === 'HTTPRoute' ? undefined : generation,
    spec: JSON.parse(JSON.stringify(spec, (key, value) => (key === 'weight' ? undefined : value))),
  }))
}

const canary = (command: string, ...args: string[]) =>
  execa(process.execPath, ['src/canary/main.ts', ...command.split(' '), ...args, '--host', hostname], {
    cwd: root,
    env,
    reject: false,
    all: true,
  })
const url = `http://${gateway.host}:${gateway.port}`
const place = ['--chart', chart, '--namespace', namespace, '--url', url]

it('The README installs it', async () => {
  await follow('flagger', 'Install')
  const manifest = await run(`helm get manifest devops-api-stable -n ${namespace}`)
  expect(manifest.match(/^kind: .*$/gm)?.sort()).toEqual(['kind: Deployment', 'kind: Gateway', 'kind: ServiceAccount'])
  await poll(async () => expect((await ask()).answer).toBe('200 stable v1.1.1'))
  await rolledOut('stable')
  expect(await podNames('stable')).toHaveLength(2)
})

it("helm test passes with Flagger's Service", async () => {
  await run(`helm test devops-api-stable -n ${namespace}`)
})

it("Flagger's route publishes no more than the chart's", async () => {
  const codes = `for path in version '' metrics livez readyz openapi.json version/; do
    curl -sS -o /dev/null -w '%{http_code} ' -H 'Host: ${hostname}' ${url}/$path; done`
  expect(await sh(codes)).toBe('200 200 404 404 404 404 404 ')
})

it('helm upgrade changes nothing of what Flagger has made', async () => {
  const before = await taken()
  expect(before.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    'Service devops-api-stable',
    'Service devops-api-stable-canary',
    'Service devops-api-stable-primary',
    'HTTPRoute devops-api-stable',
    'Deployment devops-api-stable',
    'Deployment devops-api-stable-primary',
  ])
  await upgrade()
  expect(await taken()).toEqual(before)
})

it("Another release beside it is in none of Flagger's Services", async () => {
  await install('canary')
  await rolledOut('canary')
  const services = (await taken()).filter(({ kind }) => kind === 'Service')
  const selected = services.map(async ({ name, spec: { selector = {} } }) => {
    const labels = Object.entries(selector).map(([key, value]) => `${key}=${value}`)
    const pods = await run(`kubectl get pods -l ${labels} -o jsonpath={.items[*].metadata.name} -n ${namespace}`)
    return [name, pods.split(' ').filter(Boolean).sort()]
  })
  const primary = await podNames('stable')
  expect(Object.fromEntries(await Promise.all(selected))).toEqual({
    'devops-api-canary': await podNames('canary'),
    'devops-api-stable': primary,
    'devops-api-stable-canary': [],
    'devops-api-stable-primary': primary,
  })
  await run(`helm uninstall devops-api-canary -n ${namespace}`)
})

it('The CLI sees that Flagger decides, and does nothing', async () => {
  const values = () => readFileSync(join(chart, 'values-stable.yaml'), 'utf8')
  const before = values()
  for (const command of ['shift 50/50', 'promote', 'rollback', 'status']) {
    const { exitCode, all } = await canary(command, ...place)
    expect(all.replaceAll(/\s+/g, ' ')).toContain('Flagger owns these objects')
    expect(exitCode).toBe(1)
  }
  expect(values()).toBe(before)
})

/** Waits for the end of an analysis that begins now, and returns what Flagger said. */
async function analysed(version: string, phase: 'Succeeded' | 'Failed'): Promise<string[]> {
  const from = messages.length
  const startedAt = performance.now()
  await canaryIs('phase', 'Progressing')
  await canaryIs('phase', phase)
  note(`${phase} after helm upgrade`, `${version}: ${inSeconds(performance.now() - startedAt)}`)
  return messages.slice(from)
}

it('Without requests, a new version does not get far', async () => {
  edit('values-stable.yaml', { 'env.DEVOPSAPI_VERSION': 'v1.2.0-idle' })
  await upgrade()
  const said = await analysed('v1.2.0-idle', 'Failed')
  expect(said.join('\n')).toMatch(/no values found for custom metric: p95-increase/)
  expect(said.join('\n')).not.toMatch(/canary weight (50|100)/)
  await poll(async () => expect(distinct((await sample(100)).map(({ answer }) => answer))).toEqual(['200 stable v1.1.1']))
})

/** A canary that Flagger takes back, while primary goes on as it was. */
async function takenBack(version: string, change: () => Promise<unknown>): Promise<string[]> {
  const [last] = await load.next(1)
  edit('values-stable.yaml', { 'env.DEVOPSAPI_VERSION': version })
  allowed.add(`200 stable ${version}`)
  const from = load.replies.length
  await change()
  const said = await analysed(version, 'Failed')
  // The gateway follows a moment later; from then on, all is as it was.
  await poll(async () => expect(distinct((await load.next(RATE)).map(({ answer }) => answer))).toEqual([last?.answer]))
  const replies = load.replies.slice(from)
  expect(distinct(replies.filter(isPrimary).map(({ answer }) => answer))).toEqual([last?.answer])
  const byCanary = replies.filter(isCanary)
  expect(byCanary.length + replies.filter(isPrimary).length).toBe(replies.length)
  expect(byCanary.length).toBeGreaterThan(0)
  const errors = replies.filter(({ answer }) => answer === injected).length
  note('Taken back', `${version} had ${byCanary.length} of ${replies.length} requests, ${errors} of them injected errors`)
  return said
}

it('A steady load begins', async () => {
  load.start()
  await load.next(RATE)
})

it('A canary with errors is taken back because of them', async () => {
  allowed.add(injected)
  const said = await takenBack('v1.2.0-bad', () => follow('flagger', 'A bad release'))
  allowed.delete(injected)
  expect(said.join('\n')).toMatch(/advancement success rate (7|8)\d\.\d\d% < 99%/)
  expect(said.join('\n')).toContain('Rolling back devops-api-stable')
})

/** Waits until so many percent of the replies are canary's. */
async function split(percentage: number): Promise<void> {
  const share = percentage / 100
  await canaryIs('canaryWeight', percentage)
  const hits = async (count: number) => {
    const replies = await load.next(count)
    return { n: replies.length, k: replies.filter(isCanary).length }
  }
  await poll(async () => {
    const { n, k } = await hits(RATE)
    expect(Math.abs(k / n - share)).toBeLessThan(0.1)
  })
  const { n, k } = await hits(2 * RATE)
  const [least, most] = binomial(n, share)
  expect(k).toBeGreaterThanOrEqual(least)
  expect(k).toBeLessThanOrEqual(most)
  note('Steps', `at ${percentage} %, canary sent ${k} of ${n} replies`)
}

it('A good version is promoted step by step, and another helm upgrade does not disturb it', async () => {
  const version = 'v1.1.1-canary'
  edit('values-stable.yaml', { 'image.tag': version, 'env.DEVOPSAPI_VERSION': version })
  allowed.add(`200 stable ${version}`)
  await follow('flagger', 'Release')
  const done = analysed(version, 'Succeeded')
  await split(25)
  const before = await takenButWeights()
  await upgrade()
  expect(await takenButWeights()).toEqual(before)
  await split(50)
  const { exitCode, all } = await canary('check', url, '--expect', 'stable=50,canary=50', '--canary-pods', canaryPods)
  expect(all).toContain('PASS split')
  expect(exitCode).toBe(0)
  await split(100)
  const said = await done
  expect(said.join('\n')).not.toMatch(/Halt|Restarting/)
  const replies = await load.next(RATE)
  expect(distinct(replies.map(({ answer }) => answer))).toEqual([`200 stable ${version}`])
  expect(replies.every(isPrimary)).toBe(true)
  await run(`helm test devops-api-stable -n ${namespace}`)
})

const lostSince = (from: number) => load.replies.slice(from).filter(({ expected }) => !expected).length

it("The README leads back to the chart's own route", async () => {
  const from = load.replies.length
  edit('values-stable.yaml', { 'traffic.stable': 100, 'traffic.canary': 0 })
  await follow('flagger', "Back to the chart's own route")
  await rolledOut('stable')
  expect((await taken()).map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    'Service devops-api-stable',
    'HTTPRoute devops-api-stable',
    'Deployment devops-api-stable',
  ])
  await expectNoDrift(await run(`helm get manifest devops-api-stable -n ${namespace}`))
  const { all } = await canary('status', ...place)
  expect(all).not.toMatch(/Flagger|Flux|by hand/)
  expect((await load.next(RATE)).every(isCanary), 'all from the release itself').toBe(true)
  note('Lost', `on the way back to the chart's own route: ${lostSince(from)} of ${load.replies.length - from} requests`)
})

it('The README moves a running pair over', async () => {
  const from = load.replies.length
  await follow('flagger', 'Move a running pair over')
  await poll(async () => expect((await load.next(RATE)).every(isPrimary)).toBe(true))
  await rolledOut('stable')
  note('Lost', `while a running pair moved over: ${lostSince(from)} of ${load.replies.length - from} requests`)
})

it('A slow canary is taken back because of its slowest replies', async () => {
  const overlay = '--values examples/slow-canary.yaml'
  const slow = () => run(`helm upgrade devops-api-stable . ${files} ${overlay} -n ${namespace}`)
  const said = await takenBack('v1.3.0-slow', slow)
  expect(said.join('\n')).toMatch(/advancement request duration \S+ > 500ms/)
})

it('A canary that is only slower than primary is taken back because of that', async () => {
  edit('values-stable.yaml', { 'env.FAULT_DELAY_MS': '60' })
  const said = await takenBack('v1.3.0-slower', upgrade)
  expect(said.join('\n')).toMatch(/advancement p95-increase \d+\.\d\d > 20/)
  expect(said.join('\n')).not.toContain('request duration')
})

it('A canary whose pods never get ready is given up, and has had no request', async () => {
  const sooner = JSON.stringify({ spec: { progressDeadlineSeconds: 15 } })
  await run(`kubectl patch canary/devops-api-stable --type=merge -p ${sooner} -n ${namespace}`)
  const from = load.replies.length
  await run(`helm upgrade devops-api-stable . ${files} --values examples/never-ready.yaml -n ${namespace}`)
  const said = await analysed('never ready', 'Failed')
  expect(said.join('\n')).toContain('not ready: waiting for rollout to finish: 0 of ')
  expect(said.join('\n')).not.toContain('canary weight')
  await load.next(RATE)
  expect(load.replies.slice(from).every(isPrimary)).toBe(true)
  // Flagger lets go of a Canary only once the pods of its Deployment are ready.
  await run(`helm rollback devops-api-stable -n ${namespace}`)
})

it('The README removes it, and nothing is left', async () => {
  await load.stop()
  load.expectNothingLost()
  const { replies, duration } = load
  expect(replies.length / (duration / 1000) / RATE).toBeGreaterThan(0.98)
  note('Lost', `0 of ${replies.length} requests in ${inSeconds(duration)}`)
  await follow('flagger', 'Remove')
  await poll(async () => expect(await objects()).toEqual(pristine))
})
