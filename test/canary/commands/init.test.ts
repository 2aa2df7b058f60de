import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { describe, it } from 'vitest'
import { parse } from 'yaml'
import { madeBy } from '../../../src/canary/init/obstacles.ts'
import { temporary } from '../commandLine.ts'
import { run, withoutCluster } from '../inProcess.ts'
import { installedReleases } from '../installedReleases.ts'
import { parseOutput } from '../parseOutput.ts'

const environment = { env: { KUBECONFIG: '/dev/null' } }
const files = (chart: string) => readdirSync(chart, { recursive: true }).toSorted()
const added = ['templates/canary-route.yaml', 'values-canary.yaml', 'values-stable.yaml']

/** What `helm create` makes. */
async function created(): Promise<string> {
  const folder = temporary()
  await execa('helm', ['create', 'shop'], { cwd: folder, ...environment })
  return join(folder, 'shop')
}

const deployment = (name: string, labels: string, port = 'http', kind = 'Deployment') => `apiVersion: apps/v1
kind: ${kind}
metadata:
  name: ${name}
spec:
  selector:
    matchLabels: ${labels}
  template:
    metadata:
      labels: ${labels}
    spec:
      containers:
        - name: web
          image: "example.com/web:{{ .Values.image.tag }}"
          ports: [{ name: ${port}, containerPort: 9898 }]
`
const service = (name: string, labels: string, ports: string) =>
  `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\nspec:\n  selector: ${labels}\n  ports: ${ports}\n`
const fullname = '{{ template "web.fullname" . }}'

/** In the way of podinfo: objects and selectors by the full name alone, two ports, an optional cache with pods of its own. */
const podinfoLike = {
  'Chart.yaml': 'apiVersion: v1\nname: web\nversion: 6.0.0\nappVersion: "6.0.0"\n',
  'values.yaml':
    'image: { tag: 6.0.0 }\nservice: { httpPort: 9898, grpcPort: 9999 }\nredis: { enabled: true }\nhpa: { enabled: true }\n',
  'templates/_helpers.tpl':
    '{{- define "web.fullname" -}}\n{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end }}\n{{- end }}\n',
  'templates/deployment.yaml': deployment(fullname, `{ app.kubernetes.io/name: ${fullname} }`),
  'templates/service.yaml': service(
    fullname,
    `{ app.kubernetes.io/name: ${fullname} }`,
    '[{ name: grpc, port: 9999 }, { name: http, port: 9898 }]',
  ),
  'templates/redis/deployment.yaml': deployment(`${fullname}-redis`, `{ app: ${fullname}-redis }`, 'redis'),
  'templates/redis/service.yaml': service(`${fullname}-redis`, `{ app: ${fullname}-redis }`, '[{ name: redis, port: 6379 }]'),
  'templates/hpa.yaml': `apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: ${fullname}\nspec: { maxReplicas: 3 }\n`,
}

function chartOf(content: Record<string, string>): string {
  const chart = join(temporary(), 'web')
  for (const [path, text] of Object.entries(content)) {
    mkdirSync(dirname(join(chart, path)), { recursive: true })
    writeFileSync(join(chart, path), text)
  }
  return chart
}

/** What has the route say in each reply whose it is. */
const says = (value: string) => [
  { type: 'ResponseHeaderModifier', responseHeaderModifier: { set: [{ name: 'app-role', value }] } },
]

/** What Helm makes of both values files, with other weights. */
async function rendered(chart: string, name: string, weights: string) {
  const [stable, canary] = weights.split('/')
  const template = async (role: string, ...set: string[]) => {
    const args = ['template', `${name}-${role}`, chart, '--values', join(chart, `values-${role}.yaml`), ...set]
    return madeBy((await execa('helm', args, environment)).stdout)
  }
  const [ofStable, ofCanary] = await Promise.all([
    template('stable', '--set', `traffic.stable=${stable},traffic.canary=${canary}`),
    template('canary'),
  ])
  const route = ofStable.find(({ kind }) => kind === 'HTTPRoute')
  const { rules, ...spec } = (route as NonNullable<typeof route>).spec as { rules: { backendRefs: object[] }[] }
  return { ...spec, backendRefs: rules[0]?.backendRefs, routesOfCanary: ofCanary.filter(({ kind }) => kind === 'HTTPRoute') }
}

describe.concurrent('init', () => {
  it('makes a chart of "helm create" canary-ready, and touches nothing else', async ({ expect }) => {
    const chart = await created()
    const before = files(chart)
    const dry = await run(`init ${chart} --gateway infra/public --hostname a.example --dry-run`)
    expect([dry.exitCode, files(chart)]).toEqual([0, before])
    expect(dry.stdout).toContain('+ kind: HTTPRoute')
    const { exitCode, stdout, stderr } = await run(`init ${chart} --gateway infra/public --hostname a.example`)
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`helm upgrade --install shop-canary ${chart} --values ${chart}/values-canary.yaml`)
    expect(files(chart)).toEqual([...before, ...added].toSorted())
    expect(await rendered(chart, 'shop', '90/10')).toEqual({
      parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'public', namespace: 'infra' }],
      hostnames: ['a.example'],
      backendRefs: [
        { group: '', kind: 'Service', name: 'shop-stable', port: 80, weight: 90, filters: says('stable') },
        { group: '', kind: 'Service', name: 'shop-canary', port: 80, weight: 10, filters: says('canary') },
      ],
      routesOfCanary: [],
    })
    expect(stdout).toContain(`say in ${chart}/Chart.yaml what it answers`)
    expect((await rendered(chart, 'shop', '100/0')).backendRefs).toHaveLength(1)
    const file = join(chart, 'values-stable.yaml')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace(/ {2}roleHeader.*/, ''))
    expect((await rendered(chart, 'shop', '90/10')).backendRefs?.[0]).not.toHaveProperty('filters')
    writeFileSync(file, text)
    expect((await run(`shift 75/25 --files-only --chart ${chart}`)).exitCode).toBe(0)
    expect(parse(readFileSync(join(chart, 'values-stable.yaml'), 'utf8'))).toMatchObject({ traffic: { stable: 75, canary: 25 } })
    expect((await run(`init ${chart} --gateway x`)).stderr).toContain('values-stable.yaml is there already')
  })

  it('makes a pair whose traffic the other commands move and see', async ({ expect }) => {
    const chart = await created()
    await run(`init ${chart} --gateway public`)
    const { cluster } = await installedReleases(chart, { answers: {} })
    const shift = await run(`shift 75/25 --chart ${chart} --timeout 60s --max-p95-increase 30s`, cluster)
    expect(shift).toMatchObject({ exitCode: 0, stderr: '' })
    const { disagreements, cluster: seen } = parseOutput(
      'status',
      (await run(`status --chart ${chart} --json --max-p95-increase 30s`, cluster)).stdout,
    )
    expect(disagreements).toEqual([])
    expect(seen?.route?.weights).toEqual({ stable: 75, canary: 25 })
  })

  it('finds the Service and the port of a chart in the way of podinfo', async ({ expect }) => {
    const chart = chartOf(podinfoLike)
    expect(await run(`init ${chart} --gateway public`)).toMatchObject({ exitCode: 0, stderr: '' })
    expect((await rendered(chart, 'web', '1/1')).backendRefs).toMatchObject([
      { name: 'web-stable', port: 9898 },
      { name: 'web-canary', port: 9898 },
    ])
  })

  it.each([
    [
      'gateway',
      ['a/b/c', '/', 'a/', '/b', 'Bad_Name', '{{x}}', '-a', 'a..b', 'a'.repeat(254)],
      /It must be NAME or NAMESPACE\/NAME/,
    ],
    [
      'hostname',
      ['http://x', 'a:80', '127.0.0.1', 'UPPER.test', 'a.*.b', '*', `${'a.'.repeat(127)}a`],
      /It must be a host name in lower case/,
    ],
  ])('refuses a --%s that Kubernetes would not take', async (option, values, reason) => {
    const { expect } = await import('vitest')
    for (const value of values) {
      const { exitCode, stdout, stderr } = await run(`init chart --gateway a/b.c --${option} ${value}`)
      expect([value, exitCode, stdout, stderr]).toEqual([value, 64, '', expect.stringMatching(reason)])
      expect(stderr).toContain(value)
    }
  })

  it('writes over nothing, and says what is no chart', async ({ expect }) => {
    const chart = chartOf({ ...podinfoLike, 'templates/canary-route.yaml': '# mine' })
    const { exitCode, stderr } = await run(`init ${chart} --gateway a`)
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining(`${chart}/templates/canary-route.yaml is there already`)])
    expect(readFileSync(join(chart, 'templates/canary-route.yaml'), 'utf8')).toBe('# mine')
    const none = await run(`init ${join(chart, 'templates')} --gateway a`)
    expect(none.stderr).toMatch(
      /^canary: cannot read .*Chart\.yaml \(there is no such file\): give the folder of a chart, which has it$/,
    )
    const broken = chartOf({ 'Chart.yaml': 'name: [x\n' })
    expect((await run(`init ${broken} --gateway a`)).stderr).toMatch(/Chart\.yaml is not YAML: .* at line 2, column 1$/)
    const number = chartOf({ 'Chart.yaml': 'name: 42\n' })
    expect((await run(`init ${number} --gateway a`)).stderr).toContain('Chart.yaml says the name 42: it must have one, such as')
  })

  it('takes back what it wrote, where it cannot write the rest', async ({ expect }) => {
    const chart = chartOf(podinfoLike)
    const theirs = join(chart, 'values-stable.yaml')
    const before = files(chart)
    // Somebody else is there first.
    const { exitCode, stdout, stderr } = await run(`init ${chart} --gateway a`, (name, args, signal) => {
      if (args.includes('--values') && !existsSync(theirs)) writeFileSync(theirs, '# theirs')
      return withoutCluster(name, args, signal)
    })
    expect(stderr).toBe(
      `canary: cannot write ${chart}/values-stable.yaml (EEXIST): it must be new, in a folder that can be written to; nothing is written`,
    )
    expect([exitCode, stdout, files(chart)]).toEqual([1, '', [...before, 'values-stable.yaml'].toSorted()])
    expect(readFileSync(theirs, 'utf8')).toBe('# theirs')
  })

  it('proves with a chart that is read-only', async ({ expect }) => {
    const chart = chartOf(podinfoLike)
    for (const folder of ['templates', '.']) chmodSync(join(chart, folder), 0o555)
    const { exitCode, stdout, stderr } = await run(`init ${chart} --gateway a --dry-run`)
    for (const folder of ['templates', '.']) chmodSync(join(chart, folder), 0o755)
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toContain('+ kind: HTTPRoute')
  })

  const own = '{ app: {{ .Release.Name }} }'
  it.each<[string, Record<string, string>, RegExp]>([
    [
      'a StatefulSet',
      { 'templates/deployment.yaml': deployment(fullname, own, 'http', 'StatefulSet') },
      /templates\/deployment\.yaml:2: StatefulSet web-stable: each release would have data of its own/,
    ],
    [
      'a PersistentVolumeClaim',
      { 'templates/data.yaml': `apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: ${fullname}\n` },
      /templates\/data\.yaml:2: PersistentVolumeClaim web-stable: each release would have data of its own/,
    ],
    [
      'an object with a fixed name',
      { 'templates/config.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels: {}\n  name: settings\n' },
      /templates\/config\.yaml:5: ConfigMap settings is in both releases, .* begin with {{ include "web\.fullname" \. }}$/,
    ],
    [
      'one for the whole cluster',
      { 'templates/role.yaml': 'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: web-reader\n' },
      /templates\/role\.yaml:4: ClusterRole web-reader is in both releases/,
    ],
    [
      "a selector on the chart's name alone",
      { 'templates/deployment.yaml': deployment(fullname, '{ app: {{ .Chart.Name }} }') },
      /templates\/deployment\.yaml:6: Deployment web-stable selects the pods of web-canary as well .*: add app\.kubernetes\.io\/instance/,
    ],
    [
      'no Service for its pods',
      { 'templates/service.yaml': '', 'templates/redis/service.yaml': '' },
      /must have one Service for the pods of its Deployment, and it has none/,
    ],
    [
      'values that the route needs',
      { 'values.yaml': 'image: { tag: a }\ntraffic: on\n' },
      /values\.yaml has a value traffic of its own/,
    ],
  ])('refuses a chart with %s, with the line to change', async (_, change, reason) => {
    const { expect } = await import('vitest')
    const chart = chartOf({ ...podinfoLike, ...change })
    const { exitCode, stdout, stderr } = await run(`init ${chart} --gateway public`)
    expect(stderr).toMatch(reason)
    expect([exitCode, stdout]).toEqual([64, ''])
    for (const path of added) expect(existsSync(join(chart, path))).toBe(false)
  })

  it("says Helm's own words where the chart refuses the new values", async ({ expect }) => {
    const schema =
      '{ "type": "object", "additionalProperties": false, "properties": { "image": {}, "service": {}, "redis": {}, "hpa": {} } }'
    const chart = chartOf({ ...podinfoLike, 'values.schema.json': schema })
    const { exitCode, stderr } = await run(`init ${chart} --gateway public`)
    expect(stderr).toMatch(
      /^canary: helm template web-stable: values don't meet the specifications of the schema.*: additional properties .*'traffic'.* not allowed/,
    )
    expect([exitCode, existsSync(join(chart, 'values-stable.yaml'))]).toEqual([1, false])
  })
})
