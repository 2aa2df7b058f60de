import { createInterface } from 'node:readline'
import { gunzipSync, gzipSync } from 'node:zlib'
import { execa } from 'execa'
import { beforeAll, expect, it } from 'vitest'
import { edit } from './chart.ts'
import { env, namespace, run } from './cluster.ts'
import { canary, load, newCanary, start, startUnderLoad, values, weights } from './operator.ts'
import { install } from './releases.ts'
import { note } from './summary.ts'

beforeAll(async () => {
  // So that stable's route has it from the beginning.
  await install('canary')
  edit('values-stable.yaml', { 'traffic.stable': 100, 'traffic.canary': 0 })
  await startUnderLoad()
})

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

it.each(['shift 100/0', 'rollback'])(
  'A weight that somebody patched is found by status, and %s puts it back',
  async (command) => {
    const patch = '[{"op":"replace","path":"/spec/rules/0/backendRefs/0/weight","value":50}]'
    await run(`kubectl patch httproute devops-api-stable -n ${namespace} --type=json -p ${patch}`)
    const status = await canary('status')
    expect(status.exitCode).toBe(1)
    expect(status.all.replaceAll(/\s+/g, ' ')).toContain(
      'the route says 50/0, but 100/0 is installed: it was changed by hand by kubectl-patch',
    )
    const { exitCode, all } = await canary(command)
    // As Helm 4 and as Helm 3 need it.
    expect(all).toMatch(/overwriting what kubectl-patch changed by hand|once more, over what somebody has changed by hand/)
    expect(exitCode).toBe(0)
    expect(await weights()).toMatch(/^100( 0)?$/)
    expect((await canary('status')).exitCode).toBe(0)
  },
)

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
  const promote = 'promote --steps 100'
  const kills: [at: RegExp, withHelm: boolean][] = [
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
  expect(await weights()).toBe('100 0')
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
  expect(await weights()).toBe('100 0')
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

it('A canary that never becomes ready is refused', async () => {
  const files = '--values values-canary.yaml --values examples/never-ready.yaml'
  await expect(run(`helm upgrade devops-api-canary . ${files} -n ${namespace} --wait --timeout 5s`)).rejects.toThrow('FAILED')
  expect(await canary('promote')).toEqual({ exitCode: 1, all: expect.stringContaining('devops-api-canary is failed') })
  await run(`helm upgrade devops-api-canary . ${files} -n ${namespace}`)
  expect(await canary('promote')).toEqual({ exitCode: 1, all: expect.stringContaining('devops-api-canary is not ready') })
})

it('Nothing was lost', async () => {
  await load.stop()
  load.expectNothingLost()
  note('lost requests, while the CLI was killed and started again', `0 of ${load.replies.length.toLocaleString('en')}`)
})
