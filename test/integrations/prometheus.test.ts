import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa, type Options } from 'execa'
import getPort from 'get-port'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import dashboard from '../../integrations/prometheus/dashboard.json' with { type: 'json' }
import type { Done } from '../../src/canary/output/progress.ts'
import { roles } from '../../src/canary/roles.ts'
import { assertValid } from '../chart/api.ts'
import { chart, copyChart, edit, removeChart } from '../e2e/chart.ts'
import {
  createNamespace,
  deleteNamespace,
  describeNamespace,
  env,
  incarnations,
  namespace,
  poll,
  rolledOut,
  run,
} from '../e2e/cluster.ts'
import { Load, RATE } from '../e2e/load.ts'
import { readmeOf, section } from '../markdown.ts'
import { follow } from './follow.ts'
import { prometheus, query } from './prometheus.ts'

const folder = join(chart, '../integrations/prometheus')
const root = join(import.meta.dirname, '../..')
const annotations = `--values ${join(folder, 'annotations.yaml')}`
// Its replies are not judged: what this test judges is what Prometheus says about them.
const load = new Load(() => [])

/** Types of the Prometheus Operator, where it is not installed; they accept anything, and the test checks what they accepted. */
const types = ['podmonitors', 'prometheusrules'].map((plural) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.monitoring.coreos.com` },
  spec: {
    group: 'monitoring.coreos.com',
    names: { plural, kind: { podmonitors: 'PodMonitor', prometheusrules: 'PrometheusRule' }[plural] },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
}))
const created: string[] = []

beforeAll(async () => {
  copyChart()
  await createNamespace()
})

/** What the last Prometheus said, for a person to read after a failure. */
let said = ''

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error([said, await describeNamespace()].join('\n\n'))
})

afterAll(async () => {
  await load.stop()
  const deleteTypes = created.map((name) => run(`kubectl delete crd ${name} --timeout=60s`))
  await Promise.all([deleteNamespace(), ...deleteTypes]).finally(removeChart)
})

/** Runs a program that Prometheus consists of, such as in Debian's package of that name. */
async function runFromPath(program: 'prometheus' | 'promtool', args: string[], options: Options): Promise<void> {
  const { code, exitCode, all } = await execa(program, args, { ...options, reject: false, all: true })
  if (code === 'ENOENT') throw new Error(`${program} is not on the PATH: install Prometheus`)
  expect(exitCode, `${all}`).toBe(0)
}

const promtool = (...args: string[]) => runFromPath('promtool', args, { cwd: folder })

interface Alert {
  labels: Record<string, string>
  annotations: Record<string, string>
  state: string
}

/**
 * A Prometheus of our own with the rules, and without a past: whatever happened before, its first five minutes begin now. It gets what
 * the other one scrapes from the releases, under the label `namespace`.
 */
async function ownPrometheus() {
  const data = mkdtempSync(join(tmpdir(), 'devops-api-prometheus-'))
  const address = `127.0.0.1:${await getPort()}`
  for (const file of ['rules.yaml', 'weights.yaml']) cpSync(join(file === 'rules.yaml' ? folder : chart, file), join(data, file))
  const rules = readFileSync(join(data, 'rules.yaml'), 'utf8')
  writeFileSync(join(data, 'rules.yaml'), rules.replaceAll(/for: \d+m/g, 'for: 4s'))
  const config = {
    global: { scrape_interval: '2s', evaluation_interval: '2s' },
    rule_files: ['rules.yaml', 'weights.yaml'],
    scrape_configs: [
      {
        job_name: 'federate',
        honor_labels: true,
        metrics_path: '/federate',
        params: { 'match[]': ['{role=~"stable|canary"}'] },
        static_configs: [{ targets: [new URL(prometheus).host] }],
        metric_relabel_configs: [
          { source_labels: ['kubernetes_namespace'], regex: '(.+)', target_label: 'namespace' },
          { source_labels: ['kubernetes_pod_name'], regex: '(.+)', target_label: 'pod' },
        ],
      },
    ],
  }
  writeFileSync(join(data, 'prometheus.yaml'), JSON.stringify(config))
  const args = ['--config.file=prometheus.yaml', `--storage.tsdb.path=${data}`, `--web.listen-address=${address}`]
  const stop = new AbortController()
  const ended = runFromPath('prometheus', [...args, '--log.level=warn'], { cwd: data, cancelSignal: stop.signal })
  // Whoever waits for something gets the reason.
  ended.catch(() => {})
  const url = `http://${address}`

  async function alerts(): Promise<Alert[]> {
    const { data } = (await (await fetch(`${url}/api/v1/alerts`)).json()) as { data: { alerts: Alert[] } }
    const ours = data.alerts.filter(({ labels }) => labels.namespace === namespace)
    said = JSON.stringify(ours, null, 2)
    return ours
  }

  return {
    url,
    alerts,
    until: (check: () => Promise<void>) => Promise.race([ended, poll(check)]),
    /**
     * Waits until an alert fires that is not about stable, and returns its description: of stable, a Prometheus without a past may have
     * the weight before its first scrape.
     */
    async firing(name: string): Promise<string> {
      let description = ''
      await this.until(async () => {
        const firing = (await alerts()).filter(({ state, labels }) => state === 'firing' && labels.role !== 'stable')
        expect(firing.map(({ labels }) => labels.alertname)).toContain(name)
        description = firing.find(({ labels }) => labels.alertname === name)?.annotations.description ?? ''
      })
      console.log(`${name}: ${description}`)
      return description
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended.catch(() => {})
      rmSync(data, { recursive: true })
    },
  }
}

it('promtool accepts the rules, and each alert fires when it should, and only then', async () => {
  await promtool('check', 'rules', 'rules.yaml')
  await promtool('test', 'rules', 'rules.test.yaml')
})

it('The README says for how long each alert waits, and how severe it is', () => {
  const [group] = parse(readFileSync(join(folder, 'rules.yaml'), 'utf8')).groups
  const alerts = (group.rules as { alert?: string; for: string; labels: { severity: string } }[]).filter(({ alert }) => alert)
  const rows = section('The alerts', readmeOf('integrations/prometheus')).matchAll(
    /^\| `(\w+)` \|.*, (\d+) minutes \| (\w+) \|$/gm,
  )
  expect([...rows].map(([, ...said]) => said)).toEqual(
    alerts.map((rule) => [rule.alert, rule.for.replace('m', ''), rule.labels.severity]),
  )
})

const { panels } = dashboard

it('The dashboard can be imported anywhere, with each of its panels in a place of its own', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
    expect(x + w).toBeLessThanOrEqual(24)
    return Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`)
  })
  expect(new Set(cells).size).toBe(cells.length)
  const [variable] = dashboard.templating.list
  for (const [, uid] of JSON.stringify(dashboard).matchAll(/"datasource":\{"type":"prometheus","uid":"(.*?)"/g))
    expect(uid).toBe(`\${${variable?.name}}`)
})

const items = async (kinds: string) => JSON.parse(await run(`kubectl get ${kinds} -n ${namespace} -o json`)).items
const weights = async () => {
  const [rule] = await items('prometheusrules -l role=stable')
  return rule.spec.groups[0].rules.map(({ expr }: { expr: string }) => expr)
}

it('With the operator, the README makes what it takes, and moved weights restart no pod', async () => {
  const there = await run('kubectl get crd -o name')
  for (const type of types.filter(({ metadata }) => !there.includes(metadata.name))) {
    await run('kubectl create -f -', JSON.stringify(type))
    created.push(type.metadata.name)
    await run(`kubectl wait crd/${type.metadata.name} --for=condition=Established --timeout=60s`)
  }
  await follow('prometheus', 'With the Prometheus Operator')
  const objects = await items('podmonitors,prometheusrules')
  for (const object of objects) assertValid(object)
  expect(objects.map(({ kind, metadata }: { kind: string; metadata: { name: string } }) => `${kind} ${metadata.name}`)).toEqual([
    'PodMonitor devops-api-canary',
    'PodMonitor devops-api-stable',
    'PrometheusRule devops-api',
    'PrometheusRule devops-api-stable',
  ])
  expect(objects[2].spec).toEqual(parse(readFileSync(join(folder, 'rules.yaml'), 'utf8')))
  expect(await weights()).toEqual(['vector(90)', 'vector(10)'])

  await Promise.all(roles.map(rolledOut))
  const before = await incarnations()
  const overlay = '--values values-stable.yaml --values ../integrations/prometheus/operator.yaml'
  await run(`helm upgrade devops-api-stable . ${overlay} --set traffic.stable=50,traffic.canary=50 -n ${namespace}`)
  expect(await weights()).toEqual(['vector(50)', 'vector(50)'])
  expect(await incarnations()).toEqual(before)
})

it('Without the operator, both releases are scraped, and nothing is wrong with them', async () => {
  await follow('prometheus', 'Without the operator')
  await promtool('check', 'rules', join(chart, 'weights.yaml'))
  await Promise.all(roles.map(rolledOut))
  load.start()
  await using own = await ownPrometheus()
  const requests = `300 * sum(namespace_role:http_requests:rate5m{namespace="${namespace}"})`
  await own.until(async () => expect((await query(requests, own.url))[0]?.value).toBeGreaterThan(1500))
  expect(await own.alerts()).toEqual([])
})

/** Has the command line judge the load, which is the real traffic here. */
async function judge(command: string, ...args: string[]) {
  const place = ['--chart', chart, '--namespace', namespace, '--prometheus', prometheus, '--json']
  const words = ['src/canary/main.ts', ...command.split(' '), ...args, ...place]
  const { stdout, stderr, exitCode } = await execa(process.execPath, words, { cwd: root, env, reject: false })
  expect(stderr).toBe('')
  return { exitCode, ...JSON.parse(stdout) }
}

it('Real traffic of a good canary passes, at the end of the bake', async () => {
  const { exitCode, from, sample } = await judge('check --bake 20s')
  expect([exitCode, from]).toEqual([0, 'real traffic'])
  // The last scrape was a little before.
  expect(sample.requests).toBeGreaterThan(0.5 * 20 * RATE)
})

it('A canary that fails only where it is not asked is found by its real traffic alone, and taken back', async () => {
  edit('values-canary.yaml', { 'env.FAULT_ERROR_RATE': '0.1' })
  await run(`helm upgrade devops-api-canary . --values values-canary.yaml ${annotations} -n ${namespace}`)
  await rolledOut('canary')
  // The page, which faults do not strike.
  const page = ['--path', '/', '--version-from', 'header:app-version']
  const { exitCode, steps } = await judge('promote --bake 5m', ...page, '--values', join(folder, 'annotations.yaml'))
  expect([exitCode, ...steps.map(({ step, result }: Done) => `${step}: ${result}`).slice(1, 3)]).toEqual([
    1,
    expect.stringMatching(/^Judge canary at 10 %: PASS/),
    expect.stringMatching(/^Judge canary at 10 %, by real traffic: FAIL/),
  ])
  edit('values-canary.yaml', { 'env.FAULT_ERROR_RATE': '0' })
  edit('values-stable.yaml', { 'traffic.stable': 90, 'traffic.canary': 10 })
  await run(`helm upgrade devops-api-stable . --values values-stable.yaml ${annotations} -n ${namespace}`)
})

it('A canary that crashes after a minute is found by its real traffic alone, and taken back', async () => {
  edit('values-canary.yaml', { 'env.FAULT_CRASH_AFTER_MS': '60000' })
  await run(`helm upgrade devops-api-canary . --values values-canary.yaml ${annotations} -n ${namespace}`)
  await rolledOut('canary')
  const { exitCode, outcome, steps } = await judge('promote --bake 5m', '--values', join(folder, 'annotations.yaml'))
  expect([exitCode, outcome]).toEqual([2, 'taken back'])
  expect(steps.map(({ step, result }: Done) => `${step}: ${result}`)).toEqual([
    expect.stringContaining('Wait until replies follow'),
    expect.stringMatching(/^Judge canary at 10 %: PASS/),
    expect.stringMatching(
      /^Judge canary at 10 %, by real traffic: INCONCLUSIVE, .*the counters of devops-api-canary-.* began anew/,
    ),
    expect.stringContaining('Set 100/0'),
    expect.stringContaining('Wait until replies follow'),
    expect.stringMatching(/^Check that every reply is from stable: PASS/),
  ])
  edit('values-canary.yaml', { 'env.FAULT_CRASH_AFTER_MS': '0' })
  edit('values-stable.yaml', { 'traffic.stable': 90, 'traffic.canary': 10 })
  await run(`helm upgrade devops-api-stable . --values values-stable.yaml ${annotations} -n ${namespace}`)
})

/** Installs canary again, with an overlay, and waits until it alone is canary. */
async function canary(overlay: string): Promise<void> {
  const files = `--values values-canary.yaml --values ../integrations/prometheus/annotations.yaml --values examples/${overlay}`
  await run(`helm upgrade devops-api-canary . ${files} -n ${namespace}`)
  await rolledOut('canary')
}

it('A bad canary is reported, and the dashboard shows all there is to see', async () => {
  await canary('bad-canary.yaml')
  await using own = await ownPrometheus()
  expect(await own.firing('DevopsApiCanaryErrors')).toMatch(
    /^[\d.]+% of canary's replies were errors in 5 minutes, 0% of stable's; at most 1 point more would be right\./,
  )
  for (const { title, targets } of panels) {
    for (const { expr } of targets) {
      // As Grafana does, for a scrape every 15 seconds, which is its default.
      const expression = expr.replaceAll('$namespace', namespace).replaceAll('$__rate_interval', '1m')
      await own.until(async () => {
        const found = (await query(expression, own.url)).filter(({ value }) => Number.isFinite(value))
        const roles = new Set(found.map(({ labels }) => labels.role))
        const expected = title === 'Errors by status' ? ['canary'] : ['canary', 'stable']
        expect([...roles].sort(), `${title}: ${expression}`).toEqual(expected)
      })
    }
  }
  const [, metric = '', label = ''] = /label_values\((\w+), (\w+)\)/.exec(JSON.stringify(dashboard.templating)) ?? []
  const values = await query(`group by (${label}) (${metric})`, own.url)
  expect(values.map(({ labels }) => labels[label])).toContain(namespace)
})

it('A slow canary is reported', async () => {
  await canary('slow-canary.yaml')
  await using own = await ownPrometheus()
  expect(await own.firing('DevopsApiCanarySlow')).toMatch(/^canary's p95 was [\d.]+m?s in 5 minutes, and stable's [\d.]+[mu]s; /)
})

/** What nobody should do: canary's weight in the live route, past Helm. */
async function patchWeight(weight: number): Promise<void> {
  const patch = `[{"op":"replace","path":"/spec/rules/0/backendRefs/1/weight","value":${weight}}]`
  await run(`kubectl patch httproute devops-api-stable -n ${namespace} --type=json -p ${patch}`)
}

it('A weight that somebody patched is reported', async () => {
  await patchWeight(90)
  await using own = await ownPrometheus()
  expect(await own.firing('DevopsApiSplit')).toMatch(/^canary answered [345]\d(\.\d+)?% .* by the weights, 10% would be right/)
})

it('A canary that is there and gets nothing is reported', async () => {
  await patchWeight(0)
  await poll(async () => expect((await load.next(200)).map(({ role }) => role)).not.toContain('canary'))
  await using own = await ownPrometheus()
  expect(await own.firing('DevopsApiNoTraffic')).toMatch(
    /^canary got none of the requests of 5 minutes; by its weight, \d+ would/,
  )
})

it('A canary that is gone while it has a weight is reported', async () => {
  await run(`helm uninstall devops-api-canary -n ${namespace}`)
  await using own = await ownPrometheus()
  expect(await own.firing('DevopsApiNotScraped')).toMatch(/^canary has weight 10 in the route, and Prometheus sees no pod of it/)
})

it("The dashboard becomes what Grafana's sidecar looks for", async () => {
  await follow('prometheus', 'The dashboard')
  const [map] = await items('configmaps -l grafana_dashboard=1')
  expect(JSON.parse(map.data['dashboard.json'])).toEqual(dashboard)
})
