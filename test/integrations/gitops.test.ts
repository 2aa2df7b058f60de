import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { execa } from 'execa'
import { json as jq } from 'jq-wasm'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { type Role, roles } from '../../src/canary/roles.ts'
import { helmReader } from '../canary/values/helmReader.ts'
import { chart, copyChart, edit, removeChart } from '../e2e/chart.ts'
import {
  createNamespace,
  deleteNamespace,
  describeNamespace,
  env,
  incarnations,
  namespace,
  rolledOut,
  run,
  sh,
} from '../e2e/cluster.ts'
import { gateway, hostname } from '../e2e/gateway.ts'
import { Load } from '../e2e/load.ts'
import { expectNoDrift, live, parseRendered } from '../e2e/noDrift.ts'
import { splitInForce } from '../e2e/split.ts'
import { blocks, readmeOf } from '../markdown.ts'

const root = join(import.meta.dirname, '../..')
/** Where a person edits and commits. */
const worktree = join(chart, '..')
/** What a person pushes to, and what controllers have fetched from there. */
const [remote, fetched] = [join(worktree, 'remote.git'), join(worktree, 'fetched')]

const versions: Record<Role, string> = { stable: '200 stable v1.1.1', canary: '200 canary v1.1.1-canary' }
const injected = '500 canary injected fault'
const allowed = [...Object.values(versions), '200 stable v1.1.1-canary']
const load = new Load(() => allowed)

async function git(command: string, cwd = worktree): Promise<string> {
  const { stdout } = await execa('git', command.split(' '), { cwd })
  return stdout
}

beforeAll(async () => {
  copyChart()
  // So that `npm run canary` works here as it does in the repository.
  for (const name of ['package.json', 'node_modules', 'src']) symlinkSync(join(root, name), join(worktree, name))
  for (const role of roles) edit(`../integrations/argo-cd/${role}.yaml`, { 'spec.destination.namespace': namespace })
  await git('init --quiet --initial-branch=main')
  await git('config user.name Operator')
  await git('config user.email operator@example.com')
  await git('add chart integrations')
  await git('commit --quiet --message Begin')
  await git('tag begin')
  await git(`init --quiet --bare --initial-branch=main ${remote}`)
  await git(`remote add origin ${remote}`)
  await git('push --quiet --set-upstream origin main')
  await git(`clone --quiet ${remote} ${fetched}`)
})

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail')
    console.error([load.complaint, await git('log --oneline'), await describeNamespace()].join('\n\n'))
})

afterAll(async () => {
  await follower?.stop().catch(() => {})
  await load.stop()
  await deleteNamespace().finally(removeChart)
})

async function fetchRemote(): Promise<void> {
  await git('fetch --quiet', fetched)
  await git('reset --quiet --hard origin/main', fetched)
}

const manifest = (file: string) => parse(readFileSync(join(worktree, 'integrations', file), 'utf8'))

const text = (objects: object[]) => objects.map((object) => stringify(object)).join('---\n')

/** Runs a command of the CLI as an operator types it. */
async function canary(command: string): Promise<{ exitCode: number | undefined; all: string }> {
  const args = ['run', '-s', 'canary', '--', ...command.split(' ')]
  const { exitCode, all } = await execa('npm', args, { cwd: chart, env, all: true, reject: false })
  return { exitCode, all: all.replaceAll(/\s+/g, ' ') }
}

const asking = `--url http://${gateway.host}:${gateway.port} --host ${hostname}`

/** An object with what another has at some paths of jq. */
async function copied(from: object, to: object, paths: string[]): Promise<object> {
  const filter = `.[0] as $from | .[1] | reduce ($from | path(${paths})) as $path (.; setpath($path; $from | getpath($path)))`
  return (await jq([from, to], filter)) as object
}

const kinds = 'deployments,services,serviceaccounts,httproutes,gateways'

async function generations(): Promise<string> {
  const columns = 'KIND:.kind,NAME:.metadata.name,UID:.metadata.uid,GENERATION:.metadata.generation'
  return run(`kubectl get ${kinds} -n ${namespace} -o custom-columns=${columns}`)
}

/** Moves weights behind the back of Git. */
async function patchWeight(weight: number): Promise<void> {
  const patch = JSON.stringify([{ op: 'replace', path: '/spec/rules/0/backendRefs/0/weight', value: weight }])
  await run(`kubectl patch httproute devops-api-stable -n ${namespace} --type=json -p ${patch}`)
}

async function weights(): Promise<string> {
  return run(`kubectl get httproute devops-api-stable -n ${namespace} -o jsonpath={.spec.rules[0].backendRefs[*].weight}`)
}

/** What the README says to lay over the manifest of stable. */
function rulesOf(integration: string) {
  const [rules] = blocks('What Git should not decide', readmeOf(`integrations/${integration}`)).filter(
    ({ language }) => language === 'yaml',
  )
  return parse(rules?.text ?? '').spec
}

async function expectRefusals(owner: string): Promise<void> {
  const before = await git('status --short')
  for (const command of ['shift 50/50', 'promote', 'rollback'])
    expect(await canary(`${command} --namespace ${namespace} ${asking}`)).toEqual({
      exitCode: 1,
      all: expect.stringContaining(`${owner} owns these objects, and would undo what is done here: edit with --files-only`),
    })
  expect(await git('status --short')).toBe(before)
}

const bothServe = () => splitInForce(Object.values(versions), 0.1)

// Argo CD: https://argo-cd.readthedocs.io/en/stable/user-guide/helm/

interface IgnoreRule {
  group: string
  kind: string
  jqPathExpressions: string[]
}

/** What Argo CD makes of an Application: `helm template`, its tracking annotation, and from the cluster what it is told to ignore. */
async function desired(role: Role, ignoreDifferences: IgnoreRule[] = []): Promise<string> {
  const { source, destination } = manifest(`argo-cd/${role}.yaml`).spec
  const { releaseName, valueFiles } = source.helm
  const folder = join(fetched, source.path)
  const files = valueFiles.map((file: string) => `--values ${join(folder, file)}`).join(' ')
  // It knows no hook that tests, and leaves those out.
  const rendered = await run(`helm template ${releaseName} ${folder} ${files} -n ${destination.namespace} --skip-tests`)
  const objects = parseRendered(rendered).map(async (object) => {
    const { apiVersion, kind, metadata } = object
    const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : ''
    const id = `devops-api-${role}:${group}/${kind}:${namespace}/${metadata.name}`
    metadata.annotations = { ...metadata.annotations, 'argocd.argoproj.io/tracking-id': id }
    const paths = ignoreDifferences
      .filter((rule) => rule.group === group && rule.kind === kind)
      .flatMap((rule) => rule.jqPathExpressions)
    if (paths.length === 0) return object
    return copied(await live(object), object, paths)
  })
  return text(await Promise.all(objects))
}

const asArgo = '--server-side --force-conflicts --field-manager=argocd-controller'

async function syncArgo(ignoreDifferences?: IgnoreRule[]): Promise<void> {
  await fetchRemote()
  for (const role of roles) await run(`kubectl apply ${asArgo} -n ${namespace} -f -`, await desired(role, ignoreDifferences))
}

async function expectArgoSynced(ignoreDifferences?: IgnoreRule[]): Promise<void> {
  for (const role of roles) await expectNoDrift(await desired(role, ignoreDifferences), 'argocd-controller')
}

it('Argo CD: a sync deploys both, and nothing differs', async () => {
  await createNamespace()
  await syncArgo()
  await bothServe()
  for (const role of roles) await rolledOut(role)
  await expectArgoSynced()
})

it('Argo CD: a second sync changes nothing', async () => {
  const before = await generations()
  await syncArgo()
  expect(await generations()).toBe(before)
})

it('Argo CD: a weight that somebody patched is found, and put back by the next sync', async () => {
  await patchWeight(50)
  await expect(expectArgoSynced()).rejects.toThrow(/-\s+weight: 50\n\+\s+weight: 90\n/)
  await syncArgo()
  expect(await weights()).toBe('90 10')
  await expectArgoSynced()
})

it("Argo CD: with the README's rules, weights and replicas that somebody else decides are left alone, and all else is not", async () => {
  const { ignoreDifferences, syncPolicy } = rulesOf('argo-cd')
  expect(syncPolicy.syncOptions).toContain('RespectIgnoreDifferences=true')
  await patchWeight(50)
  await run(`kubectl scale deployment/devops-api-canary -n ${namespace} --replicas=3`)
  await expectArgoSynced(ignoreDifferences)
  const before = await generations()
  await syncArgo(ignoreDifferences)
  expect(await generations()).toBe(before)
  await run(`kubectl label service devops-api-stable -n ${namespace} --overwrite role=canary`)
  await expect(expectArgoSynced(ignoreDifferences)).rejects.toThrow(/-\s+role: canary\n\+\s+role: stable\n/)
  await syncArgo()
  await expectArgoSynced()
})

it('Argo CD: the CLI sees whose objects these are, and only edits files', async () => {
  await expectRefusals('Argo CD')
  expect((await canary(`status --namespace ${namespace} ${asking}`)).all).toContain('Argo CD owns these objects')
})

/** Has every commit that is pushed synced, until told to stop. */
function followCommits() {
  const stop = new AbortController()
  const following = (async () => {
    for (let synced = ''; !stop.signal.aborted; await pause(200)) {
      const pushed = await git('rev-parse main', remote)
      if (pushed !== synced) await syncArgo()
      synced = pushed
    }
  })()
  // Whoever waits for a commit to arrive gets the reason.
  following.catch(() => {})
  const stopped = () => {
    stop.abort()
    return following
  }
  return { while: <T>(doing: Promise<T>) => Promise.race([doing, following.then(() => doing)]), stop: stopped }
}

/** Does with the README what a person does at a shell, where edits of files come between the commands: all of it, or the first blocks. */
async function followReadme(heading: string, most?: number): Promise<string> {
  const script = blocks(heading, readmeOf('integrations/argo-cd'))
    .slice(0, most)
    .map(({ language, text }) => {
      if (language === 'yaml') return text.replace(/^# (.*)/, "cat > $1 <<'END'").concat('END\n')
      return language === 'sh' ? text.replaceAll('-n devops-api', `-n ${namespace}`) : ''
    })
  return sh(script.join(''))
}

let follower: ReturnType<typeof followCommits> | undefined

it('Argo CD: a promotion is a commit for each step, and loses nothing', async () => {
  load.start()
  follower = followCommits()
  await follower.while(followReadme('Promote'))
  await splitInForce(['200 stable v1.1.1-canary'], 0)
  await expectArgoSynced()
})

it('Argo CD: a step that fails is the last, and a revert takes it back', async () => {
  allowed.push('200 canary v1.2.0', injected)
  edit('values-canary.yaml', { 'env.DEVOPSAPI_VERSION': 'v1.2.0', 'env.FAULT_ERROR_RATE': '0.2' })
  await git('commit --all --quiet --message v1.2.0')
  await git('push --quiet')
  const version = '{.spec.template.spec.containers[0].env[0].value}'
  const wait = `kubectl wait deployment/devops-api-canary -n ${namespace} --for=jsonpath=${version}=v1.2.0 --timeout=60s`
  await follower?.while(run(wait))
  await rolledOut('canary')
  expect(await follower?.while(followReadme('Promote', 1))).toMatch(/FAIL (availability|canary health)/)
  expect(await git('show --no-patch --format=%s')).toBe('Move traffic to 75/25')
  await splitInForce(['200 stable v1.1.1-canary', '200 canary v1.2.0', injected], 0.25)
  await followReadme('Roll back')
  await splitInForce(['200 stable v1.1.1-canary'], 0)
  await follower?.stop()
  await load.stop()
  load.expectNothingLost()
})

// Flux: https://fluxcd.io/flux/components/helm/helmreleases/

interface Release {
  name: string
  upgrade: string
}

/** What Flux makes of a HelmRelease: a chart of the commit's own version, whose own values are those of all files, and `helm upgrade`. */
async function release(role: Role): Promise<Release> {
  const { metadata, spec } = manifest(`flux/${role}.yaml`)
  const { chart: path, valuesFiles, reconcileStrategy } = spec.chart.spec
  const commit = reconcileStrategy === 'Revision' ? `+${await git('rev-parse --short=12 HEAD', fetched)}.1` : ''
  const packed = join(worktree, `packed-${role}`)
  rmSync(packed, { recursive: true, force: true })
  cpSync(join(fetched, path), packed, { recursive: true })
  const { values } = await helmReader().release(
    packed,
    valuesFiles.map((file: string) => join(fetched, file)),
  )
  writeFileSync(join(packed, 'values.yaml'), stringify(values))
  const { name, version } = parse(readFileSync(join(packed, 'Chart.yaml'), 'utf8'))
  await run(`helm package ${packed} --version ${version}${commit} --destination ${packed}`)
  return { name: metadata.name, upgrade: `${metadata.name} ${join(packed, `${name}-${version}${commit}.tgz`)} -n ${namespace}` }
}

const asFlux = '--field-manager=helm-controller'

async function upgradeByFlux(): Promise<void> {
  await fetchRemote()
  for (const role of roles) {
    const { name, upgrade } = await release(role)
    await run(`helm upgrade --install --force-conflicts ${upgrade}`)
    const label = `helm.toolkit.fluxcd.io/name=${name}`
    await run(`kubectl label ${asFlux} ${kinds} -l role=${role} -n ${namespace} --overwrite ${label}`)
  }
}

interface Ignored {
  target: { kind: string }
  paths: string[]
}

/** What Flux compares with the cluster: the release's manifest, and from the cluster what it is told to ignore. */
async function released(role: Role, ignore: Ignored[] = []): Promise<string> {
  const objects = parseRendered(await run(`helm get manifest devops-api-${role} -n ${namespace}`)).map(async (object) => {
    const paths = ignore.filter(({ target }) => target.kind === object.kind).flatMap((rule) => rule.paths)
    return paths.length === 0 ? object : copied(await live(object), object, paths.map(fromPointer))
  })
  return text(await Promise.all(objects))
}

/** A JSON pointer as a path of jq. */
const fromPointer = (pointer: string) =>
  `.${pointer
    .slice(1)
    .split('/')
    .map((key) => (/^\d+$/.test(key) ? `[${key}]` : `["${key}"]`))
    .join('')}`

async function expectFluxSynced(ignore?: Ignored[]): Promise<void> {
  for (const role of roles) await expectNoDrift(await released(role, ignore), 'helm-controller')
}

/** What Flux does about drift. */
async function correctByFlux(ignore?: Ignored[]): Promise<void> {
  for (const role of roles)
    await run(`kubectl apply --server-side --force-conflicts ${asFlux} -n ${namespace} -f -`, await released(role, ignore))
}

it('Flux: an upgrade deploys both, and nothing differs', async () => {
  await git('checkout --quiet -B main begin')
  await git('push --quiet --force')
  await createNamespace()
  await upgradeByFlux()
  await bothServe()
  for (const role of roles) await rolledOut(role)
  await expectFluxSynced()
})

it('Flux: a commit that moves weights upgrades both, restarts nothing, and nothing differs', async () => {
  const before = await incarnations()
  expect((await canary('shift 75/25 --files-only')).exitCode).toBe(0)
  await git('commit --all --quiet --message 75/25')
  await git('push --quiet')
  await upgradeByFlux()
  await splitInForce(Object.values(versions), 0.25)
  expect(await incarnations()).toEqual(before)
  await expectFluxSynced()
  const after = await generations()
  await upgradeByFlux()
  expect(await generations()).toBe(after)
})

it('Flux: a weight that somebody patched is found, and put back', async () => {
  await patchWeight(50)
  await expect(expectFluxSynced()).rejects.toThrow(/-\s+weight: 50\n\+\s+weight: 75\n/)
  await correctByFlux()
  expect(await weights()).toBe('75 25')
  await expectFluxSynced()
})

it("Flux: with the README's rules, weights and replicas that somebody else decides are left alone until the next upgrade", async () => {
  const { mode, ignore } = rulesOf('flux').driftDetection
  expect(mode).toBe('enabled')
  await patchWeight(50)
  await run(`kubectl scale deployment/devops-api-canary -n ${namespace} --replicas=3`)
  const before = await generations()
  await expectFluxSynced(ignore)
  await correctByFlux(ignore)
  expect(await generations()).toBe(before)
  await run(`kubectl label service devops-api-stable -n ${namespace} --overwrite role=canary`)
  await expect(expectFluxSynced(ignore)).rejects.toThrow(/-\s+role: canary\n\+\s+role: stable\n/)
  await run(`kubectl label service devops-api-stable -n ${namespace} --overwrite role=stable`)
  await upgradeByFlux()
  expect(await weights()).toBe('75 25')
})

it('Flux: the CLI sees whose objects these are, and only edits files', async () => {
  await expectRefusals('Flux')
  expect((await canary(`status --namespace ${namespace} ${asking}`)).all).toMatch(
    /✗ Flux owns these objects, and undoes what others do: edit with --files-only, and let it apply the commit$/,
  )
})
