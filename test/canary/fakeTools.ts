import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parse, parseAllDocuments } from 'yaml'

/**
 * A helm and a kubectl without a cluster: the real Helm renders, and a file in the place of the cluster remembers what was installed.
 * `node fakeTools.ts HELM FOLDER helm|kubectl ARGUMENTS`
 * Whatever changes nothing is answered for the next time as well, in `FOLDER/answers`: a shell reads a file sooner than Node starts.
 */
const [helm = '', folder = '', program = '', ...given] = process.argv.slice(2)

interface Revision {
  version: number
  config: object
  info: { status: string; last_deployed: string; description: string }
  manifest: string
  chart: object
}
type State = Record<string, Revision[]>

const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'))
const state = (): State => (existsSync(join(folder, 'releases')) ? read('releases') : {})
const optionOf = (args: string[], name: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined)

class Refusal extends Error {}

function fail(message: string): never {
  throw new Refusal(`Error: ${message}\n`)
}

/** In the words of an API server. */
function forbid(kinds: string): never {
  const [kind = '', ...group] = kinds.split('.')
  fail(`${kinds} is forbidden: User "jane" cannot list resource "${kind}" in API group "${group.join('.')}" in the namespace "n"`)
}

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

const base64 = (data: Buffer | string) => Buffer.from(data).toString('base64')

function pack(chart: string): object {
  const files = globSync('**/*', { cwd: chart, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(chart.length + 1))
  const kept = (name: string) => ({ name, data: base64(readFileSync(join(chart, name))) })
  return {
    metadata: parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8')),
    templates: files.filter((name) => name.startsWith('templates/')).map(kept),
    files: files.filter((name) => !/^(templates\/|Chart\.yaml|values\.yaml|values\.schema\.json)/.test(name)).map(kept),
    values: parse(readFileSync(join(chart, 'values.yaml'), 'utf8')),
    schema: base64(readFileSync(join(chart, 'values.schema.json'))),
  }
}

function upgrade(args: string[]): unknown {
  const [name = '', chart = ''] = args.slice(1).filter((arg) => arg !== '--install')
  const files = args.flatMap((arg, index) => (arg === '--values' ? [args[index + 1] ?? ''] : []))
  const sets = args.flatMap((arg, index) => (arg.startsWith('--set') ? [arg, args[index + 1] ?? ''] : []))
  const values = files.flatMap((file) => ['--values', file])
  const { stdout, stderr, status } = spawnSync(helm, ['template', name, chart, ...values, ...sets], { encoding: 'utf8' })
  if (status !== 0) fail(stderr.replace(/^Error: /, ''))
  const releases = state()
  const before = releases[name] ?? []
  // As the API server has them: without hooks.
  const manifest = stdout
    .split(/^---\n/m)
    .filter((text) => !text.includes('helm.sh/hook'))
    .join('---\n')
  const sections = sets.filter((text) => !text.startsWith('--set')).map((text) => text.split('=') as [string, string])
  const set = sections.map(([path, value]) => path.split('.').reduceRight<unknown>((all, key) => ({ [key]: all }), value))
  const config = [...files.map((file) => parse(readFileSync(file, 'utf8')) ?? {}), ...set].reduce(merge, {})
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
  const older = before.map((one) => ({ ...one, info: { ...one.info, status: 'superseded' } }))
  writeFileSync(join(folder, 'releases'), JSON.stringify({ ...releases, [name]: [revision, ...older] }))
  answerAhead()
  return ''
}

function find(name: string, number?: string): Revision {
  const revisions = state()[name] ?? fail('release: not found')
  return revisions.find(({ version }) => number === undefined || `${version}` === number) ?? fail('release: not found')
}

function runHelm(args: string[]): unknown {
  const [command = '', second = '', third = ''] = args
  const number = optionOf(args, '--revision')
  if (command === 'upgrade') return upgrade(args)
  if (read('settings').unreadable?.includes('releases') && /^(status|history|get)$/.test(command)) forbid('secrets')
  if (command === 'status') return { ...find(second, number), chart: undefined }
  if (command === 'history') {
    const revisions = state()[second] ?? fail('release: not found')
    const entries = revisions.map(({ version, info: { status, last_deployed, description } }) => ({
      revision: version,
      updated: last_deployed,
      status,
      chart: 'devops-api-1.1.1',
      description,
    }))
    return entries.toReversed()
  }
  if (command === 'get' && second === 'manifest') return find(third, number).manifest
  if (command === 'get') {
    const { chart, config } = find(third, number)
    return merge((chart as { values: Record<string, unknown> }).values, config as Record<string, unknown>)
  }
  return fail(`nobody knows ${command}`)
}

interface Item {
  kind: string
  metadata: { name: string; generation?: number; namespace?: string }
  spec: { parentRefs?: object[]; replicas?: number; selector?: unknown } | undefined
}

/** What is installed as it would be live, with as many pods as somebody scaled to. */
function live(): Item[] {
  const { replicas = {} } = read('settings') as { replicas?: Record<string, number> }
  const manifests = Object.values(state()).flatMap(([newest]) => (newest ? [newest.manifest] : []))
  return manifests
    .flatMap((manifest) => parseAllDocuments(manifest).flatMap((document) => (document.toJS() as Item | null) ?? []))
    .map(({ metadata, spec, ...rest }) => ({
      ...rest,
      metadata: { ...metadata, generation: 1, namespace: 'n' },
      spec: rest.kind === 'Deployment' ? { ...spec, replicas: replicas[metadata.name] ?? spec?.replicas ?? 1 } : spec,
    }))
    .map((item) => ({ ...item, status: statusOf(item) }))
}

function statusOf({ kind, spec }: Item): object {
  const { replicas } = spec ?? {}
  if (kind === 'Deployment') return { observedGeneration: 1, replicas, updatedReplicas: replicas, readyReplicas: replicas }
  const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({ type, status: 'True', reason: type, observedGeneration: 1 }))
  return { parents: (spec?.parentRefs ?? []).map((parentRef) => ({ parentRef, controllerName: 'c', conditions })) }
}

function runKubectl(args: string[]): unknown {
  const { gateway, digests = {}, unreadable = [] } = read('settings')
  const [verb = '', kinds = '', name = ''] = args.slice(args.findIndex((arg) => /^(get|rollout|scale|config)$/.test(arg)))
  if (unreadable.some((kind: string) => kinds.includes(kind))) forbid(kinds)
  if (verb === 'config') fail('current-context must exist in order to minify')
  if (verb !== 'get') return ''
  if (kinds === 'secret') {
    const [, release = '', version = ''] = /^sh\.helm\.release\.v1\.(.+)\.v(\d+)$/.exec(name) ?? []
    const found = state()[release]?.find((revision) => `${revision.version}` === version) ?? fail(`secrets "${name}" not found`)
    return { data: { release: base64(base64(gzipSync(JSON.stringify(found)))) } }
  }
  if (kinds === 'pods') {
    const role = args.some((arg) => arg.includes('role=canary')) ? 'canary' : 'stable'
    const digest = digests[role] ?? 'a'.repeat(64)
    return { items: [{ metadata: {}, status: { containerStatuses: [{ name: 'devops-api', imageID: `x@sha256:${digest}` }] } }] }
  }
  if (kinds.startsWith('gatewayclasses')) forbid(kinds)
  if (kinds.startsWith('gateways')) return gateway ?? fail('gateways is not found')
  if (kinds === 'deployment') {
    const found =
      live().find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name) ?? fail(`"${name}" not found`)
    return args.some((arg) => arg.startsWith('jsonpath')) ? `${found.spec?.replicas}` : found
  }
  const wanted = kinds.split(',').map((kind) => kind.replace(/s(\..*)?$/, ''))
  return { items: live().filter(({ kind }) => wanted.includes(kind.toLowerCase())) }
}

/** What the CLI asks about each release, which the tests are the sooner for being answered ahead. */
const questions = ['stable', 'canary'].flatMap((role) => {
  const name = `devops-api-${role}`
  return [
    `helm status ${name} --output json`,
    `kubectl get deployment ${name} --output json`,
    `kubectl get deployment ${name} --output jsonpath={.spec.replicas}`,
    `kubectl get pods --selector app=${name},role=${role} --output json`,
  ]
})
questions.push(
  'kubectl config view --minify --output json',
  'kubectl get deployments,services --output json --show-managed-fields',
  'kubectl get httproutes.gateway.networking.k8s.io --output json --show-managed-fields',
  'kubectl get gateways.gateway.networking.k8s.io devops-api-stable --output json',
  'kubectl get gatewayclasses.gateway.networking.k8s.io c --output json',
)

interface Answer {
  stdout: string
  stderr: string
}

function ask(program: string, args: string[]): Answer {
  try {
    const value = program === 'helm' ? runHelm(args) : runKubectl(args)
    return { stdout: typeof value === 'string' ? value : JSON.stringify(value), stderr: '' }
  } catch (error) {
    if (error instanceof Refusal) return { stdout: '', stderr: error.message }
    throw error
  }
}

/** As text, because a shell reads it. */
function keep(question: string, { stdout, stderr }: Answer): void {
  const path = join(folder, 'answers', question)
  writeFileSync(stderr ? `${path}.refusal` : path, stderr || stdout)
}

function answerAhead(): void {
  rmSync(join(folder, 'answers'), { recursive: true, force: true })
  mkdirSync(join(folder, 'answers'))
  for (const question of questions) {
    const [program = '', ...args] = question.split(' ')
    keep(question, ask(program, args))
  }
}

const { stdout, stderr } = ask(program, given)
if (given[0] !== 'upgrade') keep([program, ...given].join(' '), { stdout, stderr })
process.stdout.write(stdout)
process.stderr.write(stderr)
process.exitCode = stderr ? 1 : 0
