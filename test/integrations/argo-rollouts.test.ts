import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { chart, copyChart, edit, removeChart } from '../e2e/chart.ts'
import {
  createNamespace,
  deleteNamespace,
  describeNamespace,
  env,
  incarnations,
  namespace,
  objects,
  poll,
  run,
} from '../e2e/cluster.ts'
import { gateway, hostname } from '../e2e/gateway.ts'
import { Load, RATE } from '../e2e/load.ts'
import { distinct, sample } from '../e2e/split.ts'
import { binomial } from '../e2e/statistics.ts'
import { inSeconds, note, summary } from '../e2e/summary.ts'
import { follow } from './follow.ts'
import { prometheusForControllers } from './prometheus.ts'

interface RolloutStatus {
  phase: string
  message?: string
  currentPodHash: string
  stableRS: string
}

interface Measurement {
  startedAt: string
  finishedAt: string
  value?: string
  metadata?: { 'job-name': string }
}

interface Analysis {
  metadata: { labels: Record<string, string>; creationTimestamp: string }
  spec: { args: { name: string; value: string }[] }
  status: { phase: string; metricResults: { name: string; measurements: Measurement[] }[] }
}

interface Applied {
  kind: string
  metadata: { name: string; generation?: number; namespace?: string }
  spec: { strategy: { canary: Record<string, unknown> } }
}

const root = join(import.meta.dirname, '../..')
const integration = '../integrations/argo-rollouts'
const injected = '500 stable injected fault'

let pristine: string[]
let expected: string[] = []
const load = new Load(() => expected)

beforeAll(async () => {
  copyChart()
  await createNamespace()
  pristine = await objects()
})

afterEach(async ({ task }) => {
  const failed = task.result?.state === 'fail'
  if (failed || load.complaint) console.error([load.complaint, await describeNamespace(), await describeRollout()].join('\n\n'))
  if (!failed) load.expectNothingLost()
})

afterAll(async () => {
  await load.stop()
  console.log(summary())
  await deleteNamespace().finally(removeChart)
})

/** What one would look at first where a Rollout is stuck. */
async function describeRollout(): Promise<string> {
  const [rollouts, analyses, logs] = await Promise.all([
    run(`kubectl get rollouts -n ${namespace} -o jsonpath={.items[*].status}`),
    run(`kubectl get analysisruns -n ${namespace} -o jsonpath={.items[*].status}`),
    run(`kubectl logs -l app=devops-api-check -n ${namespace} --tail=30 --prefix`),
  ])
  return [rollouts, analyses, logs].join('\n\n')
}

async function status(): Promise<RolloutStatus> {
  return JSON.parse(await run(`kubectl get rollout devops-api-stable -n ${namespace} -o jsonpath={.status}`))
}

async function podsOf(hash: string): Promise<string[]> {
  return (await run(`kubectl get pods -n ${namespace} -l rollouts-pod-template-hash=${hash} -o name`)).split('\n')
}

/** The analyses of a version, in the order of the steps. */
async function analyses(hash: string): Promise<Analysis[]> {
  const items: Analysis[] = JSON.parse(
    await run(`kubectl get analysisruns -n ${namespace} -l rollouts-pod-template-hash=${hash} -o json`),
  ).items
  return items.toSorted((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp))
}

const measurementsOf = ({ status }: Analysis) => status.metricResults.flatMap(({ measurements }) => measurements)

/** What the Jobs of an analysis printed. */
async function logsOf(analysis: Analysis): Promise<string> {
  const jobs = measurementsOf(analysis).map(({ metadata }) => metadata?.['job-name'])
  const logs = await Promise.all(jobs.map((job) => run(`kubectl logs job/${job} -n ${namespace}`)))
  return logs.join('\n')
}

/** Waits until no pod is on its way out, and all replies of a second are these; from then on, nothing else is right. */
async function only(...answers: string[]): Promise<void> {
  const leaving = `kubectl get pods -n ${namespace} -l app=devops-api-stable -o jsonpath={.items[*].metadata.deletionTimestamp}`
  await poll(async () => expect(await run(leaving)).toBe(''))
  await poll(async () => expect(distinct((await load.next(RATE)).map(({ answer }) => answer))).toEqual(answers))
  expected = answers
}

/** As an operator, who knows nothing of the Rollout. */
async function canary(command: string) {
  const place = ['--chart', chart, '--namespace', namespace, '--values', join(chart, integration, 'values.yaml')]
  const asking = ['--url', `http://${gateway.host}:${gateway.port}`, '--host', hostname]
  const args = ['src/canary/main.ts', ...command.split(' '), ...place, ...asking]
  const { exitCode, all } = await execa(process.execPath, args, { cwd: root, env, reject: false, all: true })
  return { exitCode, all: all.replaceAll(/\s+/g, ' ') }
}

const upgrade = () =>
  run(`helm upgrade devops-api-stable . --values values-stable.yaml --values ${integration}/values.yaml -n ${namespace}`)

const apply = () => run(`kubectl apply --server-side --field-manager=helm -k ${integration} -n ${namespace}`)

/** How often each of the integration's objects was changed, by kind and name; 0 where the API server does not count. */
async function generations(): Promise<Record<string, number>> {
  const { items } = JSON.parse(await run(`kubectl get -k ${integration} -n ${namespace} -o json`))
  return Object.fromEntries(items.map(({ kind, metadata }: Applied) => [`${kind} ${metadata.name}`, metadata.generation ?? 0]))
}

it('The README installs it; of the release Helm makes only Deployment, ServiceAccount and Gateway', async () => {
  await follow('argo-rollouts', 'Install')
  const manifest = await run(`helm get manifest devops-api-stable -n ${namespace}`)
  expect(manifest.match(/(?<=^kind: ).*/gm)?.sort()).toEqual(['Deployment', 'Gateway', 'ServiceAccount'])
})

it('The Rollout runs the pods, and stable serves', async () => {
  await poll(async () => {
    const replicas = await run(`kubectl get deployment devops-api-stable -n ${namespace} -o jsonpath={.spec.replicas}`)
    expect(replicas).toBe('0')
  })
  expect(await podsOf((await status()).stableRS)).toHaveLength(4)
  expected = ['200 stable v1.1.1']
  await poll(async () => expect(distinct((await sample(50)).map(({ answer }) => answer))).toEqual(expected))
  load.start()
})

it('Applied again, with the address of the gateway for pods, nothing else changes', async () => {
  const { GATEWAY_ADDRESS_FOR_PODS } = process.env
  const jsonpath = '{.status.addresses[0].value}:{.spec.listeners[0].port}'
  const address =
    GATEWAY_ADDRESS_FOR_PODS ?? (await run(`kubectl get gateway devops-api-stable -n ${namespace} -o jsonpath=${jsonpath}`))
  const container = 'spec.metrics.0.provider.job.spec.template.spec.containers.0'
  edit(`${integration}/check.yaml`, { [`${container}.args.2`]: `http://${address}` })
  const before = await generations()
  await apply()
  expect(await generations()).toEqual({ ...before, 'AnalysisTemplate check': 2 })
})

it('helm test passes, and helm upgrade without a change restarts nothing', async () => {
  await run(`helm test devops-api-stable -n ${namespace}`)
  const before = await incarnations()
  await upgrade()
  expect(await incarnations()).toEqual(before)
})

it.each(['shift 50/50', 'promote', 'rollback'])('The CLI leaves the Rollout alone: %s', async (command) => {
  expect(await canary(command)).toEqual({ exitCode: 1, all: expect.stringContaining('Argo Rollouts owns these objects') })
})

it('status of the CLI names the Rollout as the owner', async () => {
  expect(await canary('status')).toEqual({
    exitCode: 1,
    all: expect.stringContaining('Argo Rollouts owns these objects, and undoes what others do: move traffic by its Rollout'),
  })
})

it('It goes back to plain Helm, and nothing of the Rollout is left', async () => {
  edit('values-stable.yaml', { 'traffic.stable': 100, 'traffic.canary': 0 })
  // The same pods as under the Rollout: while those have had no release, the controller would take the Deployment's away.
  appendFileSync(
    join(chart, 'values-stable.yaml'),
    'podAnnotations: { prometheus.io/scrape: "true", prometheus.io/port: "8080" }\n',
  )
  const startedAt = performance.now()
  await follow('argo-rollouts', "Back to the chart's own route")
  note('Back to plain Helm', `after ${inSeconds(performance.now() - startedAt)}`)
  // Kubernetes deletes these, and on a cluster to which the type is new, it may be half a minute late.
  const itsPods = `kubectl get replicasets,pods -l rollouts-pod-template-hash -n ${namespace} -o name`
  await poll(async () => expect(await run(itsPods)).toBe(''), 120)
  await only('200 stable v1.1.1')
  const kinds = 'rollouts,analysistemplates,services,httproutes'
  expect((await run(`kubectl get ${kinds} -n ${namespace} -o name`)).split('\n')).toEqual([
    'service/devops-api-stable',
    'httproute.gateway.networking.k8s.io/devops-api-stable',
  ])
  await run(`helm test devops-api-stable -n ${namespace}`)
  expect((await canary('status')).all).not.toMatch(/owns these objects|by hand/)
})

it('It takes over two releases that serve', async () => {
  edit('values-stable.yaml', { 'traffic.stable': 90, 'traffic.canary': 10 })
  await run(`helm upgrade --install devops-api-canary . --values values-canary.yaml -n ${namespace} --wait`)
  expected.push('200 canary v1.1.1-canary')
  await run(`helm upgrade devops-api-stable . --values values-stable.yaml -n ${namespace}`)
  await load.next(10, ({ role }) => role === 'canary')
  const uids = () =>
    run(`kubectl get service/devops-api-stable httproute/devops-api-stable -n ${namespace} -o jsonpath={.items[*].metadata.uid}`)
  const before = await uids()
  const startedAt = performance.now()
  await follow('argo-rollouts', 'Move a running pair over')
  note('Taken over from two releases', `after ${inSeconds(performance.now() - startedAt)}`)
  // A gateway may overlook that Helm deletes them, if they come back at once.
  expect(await uids()).toBe(before)
  await only('200 stable v1.1.1')
  expect(await podsOf((await status()).stableRS)).toHaveLength(4)
  const releases = await run(`helm list -n ${namespace} --short`)
  expect(releases).toBe('devops-api-stable')
  expect(Object.keys(await generations())).toHaveLength(5)
})

/** The share of canary's pods among the replies that came while an analysis measured. */
function observed(analysis: Analysis, hash: string) {
  const measured = measurementsOf(analysis)
  const start = Math.min(...measured.map(({ startedAt }) => Date.parse(startedAt)))
  const end = Math.max(...measured.map(({ finishedAt }) => Date.parse(finishedAt)))
  const replies = load.replies.filter(({ sentAt }) => {
    const at = performance.timeOrigin + sentAt
    return at >= start && at < end
  })
  const canary = replies.filter(({ pod }) => pod.startsWith(`devops-api-stable-${hash}-`)).length
  return { canary, replies: replies.length }
}

async function expectPromoted(template: string): Promise<Analysis[]> {
  const { phase, currentPodHash, stableRS } = await status()
  expect({ phase, stableRS }).toEqual({ phase: 'Healthy', stableRS: currentPodHash })
  const runs = await analyses(currentPodHash)
  expect(runs.map(({ status }) => [status.metricResults[0]?.name, status.phase])).toEqual([
    [template, 'Successful'],
    [template, 'Successful'],
  ])
  for (const [index, share] of [0.25, 0.5].entries()) {
    const { canary, replies } = observed(runs[index] as Analysis, currentPodHash)
    expect(replies).toBeGreaterThan(RATE)
    const [least, most] = binomial(replies, share)
    expect(canary).toBeGreaterThan(least)
    expect(canary).toBeLessThan(most)
    note('Answered by canary', `${canary} of ${replies} requests at the step of ${share * 100} %, judged by ${template}`)
  }
  return runs
}

it('A good version is promoted by helm upgrade, checked at each step', async () => {
  edit('values-stable.yaml', { 'image.tag': 'v1.1.1-canary' })
  expected.push('200 stable v1.1.1-canary')
  const startedAt = performance.now()
  await follow('argo-rollouts', 'Release')
  note('Promoted', `after ${inSeconds(performance.now() - startedAt)}, judged by check`)
  const runs = await expectPromoted('check')
  for (const run of runs) expect(await logsOf(run)).toMatch(/PASS split\n.*\nPASS canary health\n.*\nPASS\n?$/s)
  await only('200 stable v1.1.1-canary')
})

/** Waits until canary has been given up, and its pods are gone from the replies. */
async function expectAborted(template: string, stable: string, startedAt: number): Promise<Analysis> {
  const { message, currentPodHash } = await status()
  expect(message).toMatch(
    new RegExp(`^RolloutAborted: .* aborted update to revision \\d+.* Metric "${template}" assessed Failed`),
  )
  const [analysis, ...more] = await analyses(currentPodHash)
  expect(more).toEqual([])
  note('Aborted', `${inSeconds(performance.now() - startedAt)} after the start of helm upgrade: ${message}`)
  await only(stable)
  return analysis as Analysis
}

/** Takes an edit back, which leads to the pods that serve, without steps. */
async function takeBack(version: string): Promise<void> {
  const { stableRS } = await status()
  const before = await podsOf(stableRS)
  edit('values-stable.yaml', { 'env.DEVOPSAPI_VERSION': version })
  await upgrade()
  await run(`kubectl wait rollout/devops-api-stable -n ${namespace} --for=jsonpath={.status.phase}=Healthy --timeout=60s`)
  expect(await podsOf(stableRS)).toEqual(expect.arrayContaining(before))
}

it.each(['bad', 'slow'])('A %s canary is aborted by check', async (kind) => {
  const version = `v1.2.0-${kind}`
  edit('values-stable.yaml', { 'env.DEVOPSAPI_VERSION': version })
  expected.push(`200 stable ${version}`, injected)
  const startedAt = performance.now()
  await run(
    `helm upgrade devops-api-stable . --values values-stable.yaml --values ${integration}/values.yaml --values examples/${kind}-canary.yaml -n ${namespace}`,
  )
  await run(`kubectl wait rollout/devops-api-stable -n ${namespace} --for=jsonpath={.status.phase}=Degraded --timeout=120s`)
  const analysis = await expectAborted('check', '200 stable v1.1.1-canary', startedAt)
  expect(await logsOf(analysis)).toMatch(/FAIL (availability|canary health)/)
  await takeBack('v1.1.1-canary')
})

it("With the plugin's part, the API server accepts every object, and the names in it are those of the others", async () => {
  edit(`${integration}/kustomization.yaml`, { 'components.0': 'gateway-api-plugin' })
  const rendered = await run(`kubectl kustomize ${integration}`)
  await run(`kubectl apply --server-side --dry-run=server --validate=strict --field-manager=helm -n ${namespace} -f -`, rendered)
  const objects: Applied[] = parseAllDocuments(rendered).map((document) => document.toJS())
  const names = (kind: string) => objects.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name)
  const { stableService, canaryService, trafficRouting } =
    objects.find(({ kind }) => kind === 'Rollout')?.spec.strategy.canary ?? {}
  expect([canaryService, stableService]).toEqual(names('Service'))
  expect(trafficRouting).toEqual({
    plugins: { 'argoproj-labs/gatewayAPI': { httpRoute: names('HTTPRoute')[0], namespace: 'devops-api' } },
  })
})

it('Prometheus alone promotes a good version', async () => {
  edit(`${integration}/kustomization.yaml`, { 'components.0': 'prometheus' })
  // As often as the tests' Prometheus scrapes allows; people have more time.
  const metric = 'spec.metrics.0'
  edit(`${integration}/prometheus/error-rate.yaml`, {
    [`${metric}.provider.prometheus.address`]: prometheusForControllers,
    [`${metric}.initialDelay`]: '10s',
    [`${metric}.interval`]: '3s',
  })
  await apply()
  edit('values-stable.yaml', { 'env.DEVOPSAPI_VERSION': 'v1.3.0' })
  expected.push('200 stable v1.3.0')
  const startedAt = performance.now()
  await follow('argo-rollouts', 'Release')
  note('Promoted', `after ${inSeconds(performance.now() - startedAt)}, judged by error-rate`)
  await expectPromoted('error-rate')
  await only('200 stable v1.3.0')
})

it('Prometheus alone has a bad canary aborted', async () => {
  edit('values-stable.yaml', { 'env.DEVOPSAPI_VERSION': 'v1.4.0-bad' })
  expected.push('200 stable v1.4.0-bad', injected)
  const startedAt = performance.now()
  await follow('argo-rollouts', 'A bad release')
  const analysis = await expectAborted('error-rate', '200 stable v1.3.0', startedAt)
  const increases = measurementsOf(analysis).map(({ value = '' }) => Number(value.replaceAll(/[[\]]/g, '')))
  // It fails one request in five.
  expect(increases.at(-1)).toBeGreaterThan(0.1)
  expect(increases.at(-1)).toBeLessThan(0.3)
  await takeBack('v1.3.0')
})

it('Where Prometheus knows nothing, nobody is promoted: the Rollout waits for a person', async () => {
  edit(`${integration}/prometheus/error-rate.yaml`, { 'spec.metrics.0.provider.prometheus.query': 'up == 2' })
  await apply()
  edit('values-stable.yaml', { 'env.DEVOPSAPI_VERSION': 'v1.5.0' })
  expected.push('200 stable v1.5.0')
  await upgrade()
  const reason = '{.status.pauseConditions[0].reason}'
  const wait = `kubectl wait rollout/devops-api-stable -n ${namespace} --timeout=60s`
  await run(`${wait} --for=jsonpath=${reason}=InconclusiveAnalysisRun`)
  await takeBack('v1.3.0')
  await only('200 stable v1.3.0')
})

it('Nothing was lost', async () => {
  await load.stop()
  load.expectNothingLost()
  const { replies, duration } = load
  expect(replies.length / (duration / 1000) / RATE).toBeGreaterThan(0.98)
  note('Lost', `0 of ${replies.length} requests in ${inSeconds(duration)}`)
})

it('Removed as the README says, nothing is left', async () => {
  await follow('argo-rollouts', 'Remove')
  await poll(async () => expect(await objects()).toEqual(pristine))
})
