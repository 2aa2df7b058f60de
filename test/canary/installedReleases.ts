import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parse } from 'yaml'
import { parseManifest } from '../../src/canary/cluster/parseManifest.ts'
import { releaseName, roles } from '../../src/canary/roles.ts'
import { chartName } from '../../src/canary/values/chartName.ts'
import { type Behaviour, gateway } from './fakeService.ts'
import { needsNoCluster, type RunProgram, withoutCluster } from './inProcess.ts'

interface Settings {
  /** What somebody has scaled a Deployment to. */
  replicas?: Record<string, number>
  /** What autoscalers measure, in percent of what is requested. */
  utilization?: Record<string, number>
  /** What runs, by role: 64 hexadecimal digits. */
  digests?: Record<string, string>
  /** Kinds that kubectl may not read, and "releases" for Helm's. */
  unreadable?: string[]
  /** The Gateway's answer; null where it is not found. */
  gateway?: object | null
  /** Weights that somebody has patched in the live route, and the Helm that meets them. */
  patched?: { helm: 3 | 4; stable: number; canary: number; conflicts?: string }
}

interface Installed extends Settings {
  /** How both answer behind a gateway that follows what is installed; by default every reply is from stable. */
  answers?: Behaviour
  /** What Helm is given beside the values file, by role. */
  stable?: string[]
  canary?: string[] | undefined
  /** The chart that was installed, where it is another than the one that is tried. */
  charts?: Partial<Record<'stable' | 'canary', string>>
}

interface Revision {
  version: number
  config: Record<string, unknown>
  info: { status: string; last_deployed: string; description: string }
  manifest: string
  chart: object
}

interface Item {
  kind: string
  metadata: { name: string; generation?: number; namespace?: string }
  spec: { parentRefs?: object[]; rules?: object[]; replicas?: number; selector?: unknown } | undefined
}

class Refusal extends Error {}

function fail(message: string): never {
  throw new Refusal(`Error: ${message}`)
}

/** In the words of an API server. */
function forbid(kinds: string): never {
  const [kind = '', ...group] = kinds.split('.')
  fail(`${kinds} is forbidden: User "jane" cannot list resource "${kind}" in API group "${group.join('.')}" in the namespace "n"`)
}

const optionOf = (args: string[], name: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined)

const isMap = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

function merge(a: Record<string, unknown>, b: Record<string, unknown>): Record<string, unknown> {
  const all = { ...a }
  for (const [key, value] of Object.entries(b)) {
    const old = all[key]
    all[key] = isMap(old) && isMap(value) ? merge(old, value) : value
  }
  return all
}

const parsed = new Map<string, Record<string, unknown>>()

/** The same few files are read for each installation. */
function valuesIn(path: string): Record<string, unknown> {
  const text = readFileSync(path, 'utf8')
  const values: Record<string, unknown> = parsed.get(text) ?? parse(text) ?? {}
  parsed.set(text, values)
  return values
}

const base64 = (data: Buffer | string) => Buffer.from(data).toString('base64')

function pack(chart: string): object {
  const files = globSync('**/*', { cwd: chart, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(chart.length + 1))
  const schema = join(chart, 'values.schema.json')
  const kept = (name: string) => ({ name, data: base64(readFileSync(join(chart, name))) })
  return {
    metadata: valuesIn(join(chart, 'Chart.yaml')),
    templates: files.filter((name) => name.startsWith('templates/')).map(kept),
    files: files.filter((name) => !/^(templates\/|Chart\.yaml|values\.yaml|values\.schema\.json)/.test(name)).map(kept),
    values: valuesIn(join(chart, 'values.yaml')),
    schema: existsSync(schema) ? base64(readFileSync(schema)) : null,
  }
}

/** A Helm and a kubectl whose cluster is this object: the real Helm renders. */
class Cluster {
  readonly releases: Record<string, Revision[]> = {}
  readonly asked: string[] = []
  readonly #settings: Settings
  #patched: Settings['patched']
  readonly #onUpgrade: (config: Revision['config'], name: string) => void

  constructor(settings: Settings, onUpgrade: (config: Revision['config'], name: string) => void) {
    this.#settings = settings
    this.#onUpgrade = onUpgrade
  }

  readonly run: RunProgram = async (name, args, signal) => {
    this.asked.push([name, ...args].join(' '))
    if (needsNoCluster(name, args)) return withoutCluster(name, args, signal)
    try {
      const answer = name === 'helm' ? await this.#helm(args) : this.#kubectl(args)
      return { stdout: typeof answer === 'string' ? answer : JSON.stringify(answer), stderr: '', failed: false }
    } catch (error) {
      if (error instanceof Refusal) return { stdout: '', stderr: error.message, failed: true }
      throw error
    }
  }

  async #helm(args: string[]): Promise<unknown> {
    const [command = '', second = '', third = ''] = args
    const number = optionOf(args, '--revision')
    if (command === 'upgrade') return this.#upgrade(args)
    if (command === 'list') return Object.keys(this.releases).flatMap((name) => (/-stable$/.test(name) ? { name } : []))
    if (this.#settings.unreadable?.includes('releases')) forbid('secrets')
    if (command === 'status') return { ...this.#find(second, number), chart: undefined }
    if (command === 'history') {
      const revisions = this.releases[second] ?? fail('release: not found')
      const entries = revisions.map(({ version, info: { status, last_deployed, description } }) => ({
        revision: version,
        updated: last_deployed,
        status,
        chart: 'devops-api-1.1.1',
        description,
      }))
      return entries.toReversed()
    }
    if (command === 'get' && second === 'manifest') return this.#find(third, number).manifest
    if (command === 'get') {
      const { chart, config } = this.#find(third, number)
      return merge((chart as { values: Record<string, unknown> }).values, config as Record<string, unknown>)
    }
    return fail(`nobody knows ${command}`)
  }

  async #upgrade(args: string[]): Promise<unknown> {
    const [name = '', chart = ''] = args.slice(1).filter((arg) => arg !== '--install')
    const files = args.flatMap((arg, index) => (arg === '--values' ? [args[index + 1] ?? ''] : []))
    const sets = args.flatMap((arg, index) => (arg.startsWith('--set') ? [arg, args[index + 1] ?? ''] : []))
    const values = files.flatMap((file) => ['--values', file])
    const template = ['template', name, chart, ...values, ...sets]
    const { stdout, stderr, failed } = await withoutCluster('helm', template, new AbortController().signal)
    if (failed) fail(stderr.replace(/^Error: /, ''))
    const before = this.releases[name] ?? []
    // As the API server has them: without hooks.
    const manifest = stdout
      .split(/^---\n/m)
      .filter((text) => !text.includes('helm.sh/hook'))
      .join('---\n')
    const sections = sets.filter((text) => !text.startsWith('--set')).map((text) => text.split('=') as [string, string])
    const set = sections.map(([path, value]) => path.split('.').reduceRight<unknown>((all, key) => ({ [key]: all }), value))
    const config = [...files.map(valuesIn), ...(set as Record<string, unknown>[])].reduce(merge, {})
    const revision: Revision = {
      version: (before[0]?.version ?? 0) + 1,
      config,
      info: {
        status: 'deployed',
        last_deployed: '2026-01-01T00:00:00Z',
        description: optionOf(args, '--description') ?? 'Upgrade complete',
      },
      manifest,
      chart: pack(chart),
    }
    if (args.includes('--dry-run=server')) return { manifest }
    if (name === 'devops-api-stable') this.#overwrite(before[0]?.manifest, manifest, args)
    const older = before.map((one) => ({ ...one, info: { ...one.info, status: 'superseded' } }))
    this.releases[name] = [revision, ...older]
    this.#onUpgrade(config, name)
    return ''
  }

  /** Helm 4 refuses to overwrite what somebody has patched, unless forced; Helm 3 does where the manifests differ in it. */
  #overwrite(before: string | undefined, after: string, args: string[]): void {
    if (this.#patched?.helm === 4 && !args.includes('--force-conflicts'))
      fail(
        'UPGRADE FAILED: conflict occurred while applying object n/devops-api-stable gateway.networking.k8s.io/v1, Kind=HTTPRoute: Apply failed with ' +
          (this.#patched.conflicts ??
            '1 conflict: conflict with "kubectl-patch" using gateway.networking.k8s.io/v1: .spec.rules'),
      )
    const rulesOf = (manifest: string | undefined) => /^kind: HTTPRoute$.*?^ {2}rules:$(.*?)^---/ms.exec(`${manifest}---\n`)?.[1]
    if (this.#patched?.helm === 4 || rulesOf(before) !== rulesOf(after)) this.#patched = undefined
  }

  /** Somebody patches the live route. */
  patch(patched: Settings['patched']): void {
    this.#patched = patched
  }

  #find(name: string, number?: string): Revision {
    const revisions = this.releases[name] ?? fail('release: not found')
    return revisions.find(({ version }) => number === undefined || `${version}` === number) ?? fail('release: not found')
  }

  /** What is installed as it would be live, with as many pods as somebody scaled to. */
  #live(): Item[] {
    const { replicas = {} } = this.#settings
    const manifests = Object.values(this.releases).flatMap(([newest]) => (newest ? [newest.manifest] : []))
    return manifests
      .flatMap((manifest) => parseManifest(manifest) as unknown as Item[])
      .map(({ metadata, spec, ...rest }) => ({
        ...rest,
        metadata: { ...metadata, generation: 1, namespace: 'n' },
        spec: rest.kind === 'Deployment' ? { ...spec, replicas: replicas[metadata.name] ?? spec?.replicas ?? 1 } : spec,
      }))
      .map((item) => (item.kind === 'HTTPRoute' && this.#patched ? patchedRoute(item, this.#patched) : item))
      .map((item) => ({ ...item, status: statusOf(item, this.#settings) }))
  }

  #kubectl(args: string[]): unknown {
    const { gateway, digests = {}, unreadable = [] } = this.#settings
    const [verb = '', kinds = '', name = ''] = args.slice(args.findIndex((arg) => /^(get|rollout|scale|config)$/.test(arg)))
    if (unreadable.some((kind) => kinds.includes(kind))) forbid(kinds)
    if (verb === 'config') fail('current-context must exist in order to minify')
    if (verb !== 'get') return ''
    if (kinds === 'secret') {
      const [, release = '', version = ''] = /^sh\.helm\.release\.v1\.(.+)\.v(\d+)$/.exec(name) ?? []
      const found =
        this.releases[release]?.find((revision) => `${revision.version}` === version) ?? fail(`secrets "${name}" not found`)
      return { data: { release: base64(base64(gzipSync(JSON.stringify(found)))) } }
    }
    if (kinds === 'pods') {
      const role = args.some((arg) => arg.includes('role=canary')) ? 'canary' : 'stable'
      const digest = digests[role] ?? 'a'.repeat(64)
      return {
        items: [
          {
            metadata: {},
            status: { containerStatuses: [{ name: 'devops-api', imageID: `x@sha256:${digest}`, restartCount: 0 }] },
          },
        ],
      }
    }
    if (kinds.startsWith('gatewayclasses')) forbid(kinds)
    if (kinds.startsWith('gateways')) return gateway ?? fail('gateways is not found')
    if (kinds === 'deployment') {
      const found =
        this.#live().find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name) ?? fail(`"${name}" not found`)
      return args.some((arg) => arg.startsWith('jsonpath')) ? `${found.spec?.replicas}` : found
    }
    const wanted = kinds.split(',').map((kind) => kind.replace(/s(\..*)?$/, ''))
    return { items: this.#live().filter(({ kind }) => wanted.includes(kind.toLowerCase())) }
  }
}

function patchedRoute({ metadata, spec, ...rest }: Item, { stable, canary }: { stable: number; canary: number }): Item {
  const backendRefs = Object.entries({ stable, canary }).map(([role, weight]) => ({ name: `devops-api-${role}`, weight }))
  const managedFields = [{ manager: 'kubectl-patch', fieldsV1: { 'f:spec': {} } }]
  return { ...rest, metadata: { ...metadata, managedFields } as Item['metadata'], spec: { ...spec, rules: [{ backendRefs }] } }
}

function statusOf({ kind, metadata, spec }: Item, { replicas: scaled = {}, utilization = {} }: Settings): object {
  if (kind === 'HorizontalPodAutoscaler') {
    const averageUtilization = utilization[metadata.name]
    const currentMetrics = [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization } } }]
    return { currentReplicas: scaled[metadata.name] ?? 1, currentMetrics }
  }
  const { replicas } = spec ?? {}
  if (kind === 'Deployment') return { observedGeneration: 1, replicas, updatedReplicas: replicas, readyReplicas: replicas }
  const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({ type, status: 'True', reason: type, observedGeneration: 1 }))
  return { parents: (spec?.parentRefs ?? []).map((parentRef) => ({ parentRef, controllerName: 'c', conditions })) }
}

/** Both releases of a chart, installed. */
export async function installedReleases(
  chart: string,
  { stable = [], canary = [], charts = {}, answers, patched, ...settings }: Installed = {},
) {
  const { url, weights, versions } = await gateway({ ...answers, stable: 1, canary: 0 })
  const { hostname, port } = new URL(url)
  const listening = {
    spec: { gatewayClassName: 'c', listeners: [{ name: 'http', port: Number(port), protocol: 'HTTP' }] },
    status: { addresses: [{ value: hostname }] },
  }
  const follow = ({ traffic, env, image }: Revision['config'], name: string) => {
    if (!answers) return
    const role = name.endsWith('-canary') ? 'canary' : 'stable'
    Object.assign(weights, traffic)
    const { tag } = image as { tag: string }
    Object.assign(versions, { [role]: (env as Record<string, string> | undefined)?.DEVOPSAPI_VERSION ?? `v${tag}` })
  }
  const cluster = new Cluster({ gateway: listening, ...settings }, follow)
  const release = (role: 'stable' | 'canary') => releaseName(chartName(charts[role] ?? chart), role)
  const names = { stable: release('stable'), canary: release('canary') }
  for (const role of roles) {
    const args = { stable, canary }[role]
    const from = charts[role] ?? chart
    const values = ['--values', join(from, `values-${role}.yaml`), ...args]
    const upgrade = ['upgrade', '--install', names[role], from, ...values]
    const { failed, stderr } = await cluster.run('helm', upgrade, new AbortController().signal)
    if (failed) throw new Error(stderr)
  }
  cluster.patch(patched)
  cluster.asked.length = 0
  return {
    cluster: cluster.run,
    asked: cluster.asked,
    /** Stable's, the newest first. */
    revisions: () => cluster.releases[names.stable] ?? [],
  }
}
