import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { gunzipSync, gzipSync } from 'node:zlib'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { chart, copyChart, edit, removeChart } from './chart.ts'
import { createNamespace, deleteNamespace, describeNamespace, env, namespace, poll, rolledOut, run } from './cluster.ts'
import { figure, range } from './figures.ts'
import { gateway, hostname } from './gateway.ts'
import { Load, RATE } from './load.ts'
import { install } from './releases.ts'
import { p50AndP99 } from './statistics.ts'
import { inSeconds, summary } from './summary.ts'

const root = join(import.meta.dirname, '../..')
const injected = '500 canary injected fault'
const allowed = new Set(['200 stable v1.1.1', '200 canary v1.1.1-canary', '200 stable v1.1.1-canary'])
const load = new Load((answer) => allowed.has(answer))

beforeAll(async () => {
  copyChart()
  await createNamespace()
})

afterEach(async ({ task }) => {
  const failed = task.result?.state === 'fail'
  if (failed || load.complaint) console.error([load.complaint, await describeNamespace()].join('\n\n'))
  if (!failed) expect(load.complaint).toBe('')
})

afterAll(async () => {
  await load.stop()
  console.log(summary())
  await deleteNamespace().finally(removeChart)
})

const asking = ['--url', `http://${gateway.host}:${gateway.port}`, '--host', hostname]

/** The command line as an operator types it. */
function start(command: string, ...args: string[]) {
  const place = ['--chart', chart, '--namespace', namespace, ...asking]
  const all = ['src/canary/main.ts', ...command.split(' '), ...args, ...place]
  return execa(process.execPath, all, { cwd: root, env, reject: false, all: true })
}

async function canary(command: string, ...args: string[]): Promise<{ exitCode: number | undefined; all: string }> {
  const { exitCode, all } = await start(command, ...args)
  return { exitCode, all }
}

/** Starts a command, kills it as soon as it has written a line, perhaps with the Helm it runs and in the middle of its work. */
async function killed(command: string, at: RegExp, withHelm: boolean): Promise<string> {
  const pending = withHelm ? await watchPending() : undefined
  const child = start(command)
  let written = ''
  for await (const line of child) {
    written += `${line}\n`
    if (!at.test(written)) continue
    if (pending) {
      await pending.begun
      // Not one by one: some may end by themselves in the meantime.
      await execa('pkill', ['-KILL', '-P', `${child.pid}`], { reject: false })
    }
    child.kill('SIGKILL')
    break
  }
  pending?.stop()
  const { signal, all } = await child
  expect(signal, `it ended before it was killed:\n${all}`).toBe('SIGKILL')
  return all
}

/** Sees Helm begin an upgrade, as soon as the API server knows. */
async function watchPending() {
  const args = ['get', 'secrets', '-n', namespace, '-l', 'owner=helm,status=pending-upgrade', '--output', 'name']
  // Left by a Helm that was killed before.
  const left = (await run(`kubectl ${args.join(' ')}`)).split('\n')
  const child = execa('kubectl', [...args, '--watch'], { env, reject: false, buffer: false })
  const names = createInterface(child.stdout)
  const begun = new Promise<void>((resolve) => names.on('line', (name) => left.includes(name) || resolve()))
  return { begun, stop: () => child.kill('SIGKILL') }
}

async function weights(): Promise<string> {
  return run(`kubectl get httproute devops-api-stable -n ${namespace} -o jsonpath={.spec.rules[0].backendRefs[*].weight}`)
}

const values = () => readFileSync(join(chart, 'values-stable.yaml'), 'utf8')

/** Another version for canary, installed and ready. */
async function newCanary(version: string, ...overlays: string[]): Promise<void> {
  for (const role of ['stable', 'canary']) allowed.add(`200 ${role} ${version}`)
  edit('values-canary.yaml', { 'env.DEVOPSAPI_VERSION': version })
  await install('canary', ...overlays)
  await rolledOut('canary')
}

it('A canary whose Service is missing is named by check, and gets no more traffic', async () => {
  await install('stable')
  await rolledOut('stable')
  await poll(async () => {
    const { exitCode, stdout } = await execa(
      process.execPath,
      ['src/canary/main.ts', 'check', asking[1] as string, '--host', hostname, '--expect', 'stable=90,canary=10'],
      { cwd: root, reject: false },
    )
    expect(exitCode).toBe(1)
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('which never answered: the Service is missing (devops-api-canary)')
  })
  const shift = await canary('shift 50/50')
  expect(shift).toEqual({ exitCode: 1, all: expect.stringContaining('the Service devops-api-canary is missing') })
  expect((await canary('promote')).all).toContain('devops-api-canary is not installed')
  const status = await canary('status')
  expect(status.exitCode).toBe(1)
  expect(status.all.replaceAll(/\s+/g, ' ')).toContain("the route sends canary's share to a Service that is missing")
})

it('status agrees once both are there', async () => {
  await install('canary')
  await rolledOut('canary')
  await poll(async () =>
    expect(await canary('status')).toEqual({ exitCode: 0, all: expect.stringContaining('All of it agrees.') }),
  )
})

it('shift moves traffic', async () => {
  load.start()
  const { exitCode, all } = await canary('shift 80/20')
  expect(all).toContain('PASS split')
  expect(exitCode).toBe(0)
  expect(await weights()).toBe('80 20')
})

it('promote takes canary through its steps, and loses nothing', async () => {
  const startedAt = performance.now()
  const from = load.replies.length
  const { exitCode, all } = await canary('promote --steps 25,50,100')
  expect(all).toContain('Promoted: stable serves everything, as v1.1.1-canary.')
  expect(exitCode).toBe(0)
  expect(values()).toContain('traffic:\n  stable: 100\n  canary: 0\n')
  expect(values()).toContain('env:\n  DEVOPSAPI_VERSION: v1.1.1-canary\n')
  expect(await weights()).toBe('100')
  figure('promote', inSeconds(performance.now() - startedAt))
  figure('promotion', p50AndP99(load.replies.slice(from)))
})

it('A weight that somebody patched is found by status, and only rollback overwrites it', async () => {
  const patch = '[{"op":"replace","path":"/spec/rules/0/backendRefs/0/weight","value":50}]'
  await run(`kubectl patch httproute devops-api-stable -n ${namespace} --type=json -p ${patch}`)
  const status = await canary('status')
  expect(status.exitCode).toBe(1)
  expect(status.all.replaceAll(/\s+/g, ' ')).toContain(
    'the route says 50/0, but 100/0 is installed: it was changed by hand by kubectl-patch',
  )
  const shift = await canary('shift 100/0')
  expect(shift.exitCode).toBe(1)
  expect(shift.all).toContain('kubectl-patch has changed live objects by hand, which Helm does not overwrite')
  const rollback = await canary('rollback')
  expect(rollback.all).toContain('overwriting what kubectl-patch has changed by hand')
  expect(rollback.exitCode).toBe(0)
  expect((await canary('status')).exitCode).toBe(0)
})

it.each([
  ['argocd.argoproj.io/tracking-id=a', 'kubectl', 'Argo CD owns these objects'],
  ['test=a', 'flagger', 'Flagger owns these objects'],
])('Where %s by %s is on the route, nothing is done', async (annotation, manager, message) => {
  const before = values()
  const annotate = `kubectl annotate httproute devops-api-stable -n ${namespace} --field-manager=${manager}`
  await run(`${annotate} ${annotation}`)
  for (const command of ['shift 50/50', 'promote', 'rollback'])
    expect(await canary(command)).toEqual({ exitCode: 1, all: expect.stringContaining(message) })
  expect(values()).toBe(before)
  await run(`${annotate} ${annotation.split('=')[0]}-`)
})

it('promote is killed at each of its steps, alone and with its Helm, and the next one goes on to the end', async () => {
  await newCanary('v1.2.0')
  const promote = 'promote --steps 50,100'
  const kills: [at: RegExp, withHelm: boolean][] = [
    [/50\/50\n {2}helm upgrade/, true],
    [/50\/50\n {2}helm upgrade/, false],
    [/Judge canary at 50 %/, false],
    [/0\/100\n {2}helm upgrade/, true],
    [/0\/100\n {2}helm upgrade/, false],
    [/Judge canary at 100 %/, false],
    [/Give stable what canary runs.*\n {2}helm upgrade/, true],
    [/Give stable what canary runs.*\n {2}helm upgrade/, false],
    [/Give stable all traffic back.*\n {2}helm upgrade/, true],
    [/Check that every reply is from stable/, false],
  ]
  const written: string[] = []
  for (const [at, withHelm] of kills) written.push(await killed(promote, at, withHelm))
  const { exitCode, all } = await canary(promote)
  // At least the one that died while pods were starting.
  expect(written.join('')).toMatch(/it had died, and revision \d+ is back/)
  expect(all).toContain('Promoted: stable serves everything, as v1.2.0.')
  expect(exitCode).toBe(0)
  expect(await weights()).toBe('100')
})

/** Leaves stable as a Helm does that dies between its last two writes: the old revision is superseded, the new one still pending. */
async function unfinish(): Promise<void> {
  const history = JSON.parse(await run(`helm history devops-api-stable -n ${namespace} --output json`))
  const name = `sh.helm.release.v1.devops-api-stable.v${history.at(-1).revision}`
  const encoded = await run(`kubectl get secret ${name} -n ${namespace} -o jsonpath={.data.release}`)
  const decode = (text: string) => Buffer.from(text, 'base64')
  const release = JSON.parse(`${gunzipSync(decode(`${decode(encoded)}`))}`)
  release.info.status = 'pending-upgrade'
  const data = { release: Buffer.from(gzipSync(JSON.stringify(release)).toString('base64')).toString('base64') }
  const patch = JSON.stringify({ metadata: { labels: { status: release.info.status } }, data })
  await run(`kubectl patch secret ${name} -n ${namespace} -p ${patch}`)
}

it('shift goes on from a Helm that died when no revision was deployed any more', async () => {
  await unfinish()
  const { exitCode, all } = await canary('shift 100/0')
  expect(all).toMatch(/it had died, and revision \d+ is back/)
  expect(exitCode).toBe(0)
  expect(await weights()).toBe('100')
  expect((await canary('status')).exitCode).toBe(0)
})

it('promote is interrupted while stable gets the new version, says where things stand, and goes on', async () => {
  await newCanary('v1.2.1')
  const child = start('promote')
  let written = ''
  for await (const line of child) {
    written += `${line}\n`
    if (/Give stable what canary runs.*\n {2}helm upgrade\n$/.test(written)) child.kill('SIGINT')
  }
  const { exitCode, stderr } = await child
  expect(stderr).toContain('interrupted: values-stable.yaml says 0/100, the route 0/100, and devops-api-stable is ')
  expect(exitCode).toBe(130)
  const again = await canary('promote')
  expect(again.all).toContain('Promoted: stable serves everything, as v1.2.1.')
  expect(again.exitCode).toBe(0)
})

it('rollback of a promotion that died while stable got the new version gives it back the old one', async () => {
  await newCanary('v1.3.0')
  await killed('promote', /Give stable what canary runs.*\n {2}helm upgrade/, true)
  expect(values()).toContain('DEVOPSAPI_VERSION: v1.3.0')
  const { exitCode, all } = await canary('rollback')
  // Helm died in the middle of its upgrade or, on a slow machine, after it: then there is something to give back.
  expect(all).toMatch(/^Set 100\/0/m)
  expect(exitCode).toBe(0)
  expect(values()).toContain('DEVOPSAPI_VERSION: v1.2.1')
  const [last] = await load.next(1)
  expect(last?.answer).toBe('200 stable v1.2.1')
})

const secondsToBack: number[] = []

it.each(['bad', 'slow'])('The %s canary is caught at the first step, and traffic is back at 100/0', async (kind) => {
  allowed.add(injected)
  await newCanary(`v1.4.0-${kind}`, `examples/${kind}-canary.yaml`)
  const { exitCode, all } = await canary('promote --steps 25,50,100')
  expect(all).toContain('FAIL canary health')
  expect(all).not.toContain('50/50')
  expect(exitCode).toBe(1)
  const [, back] = /Not promoted: FAIL. Back at 100\/0, on the wire after (.*) s/.exec(all) ?? []
  expect(Number(back)).toBeGreaterThan(0)
  secondsToBack.push(Number(back))
  expect(await weights()).toBe('100')
  expect(values()).toContain('DEVOPSAPI_VERSION: v1.2.1')
})

it('A canary that never becomes ready is refused', async () => {
  const files = '--values values-canary.yaml --values examples/never-ready.yaml'
  await expect(run(`helm upgrade devops-api-canary . ${files} -n ${namespace} --wait --timeout 5s`)).rejects.toThrow('FAILED')
  expect(await canary('promote')).toEqual({ exitCode: 1, all: expect.stringContaining('devops-api-canary is failed') })
  await run(`helm upgrade devops-api-canary . ${files} -n ${namespace}`)
  expect(await canary('promote')).toEqual({ exitCode: 1, all: expect.stringContaining('devops-api-canary is not ready') })
})

it('Nothing was lost', async () => {
  await load.stop()
  expect(load.complaint).toBe('')
  const { replies, duration } = load
  expect(replies.length / (duration / 1000) / RATE).toBeGreaterThan(0.9)
  figure('back', range(secondsToBack))
  figure('lostWithCli', `0 of ${replies.length.toLocaleString('en')}`)
})
