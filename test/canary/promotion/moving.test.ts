import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { execa } from 'execa'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { type Demo, removeDemos, startDemo } from '../../demo/startDemo.ts'
import { gateway } from '../fakeService.ts'

const root = join(import.meta.dirname, '../../..')
const folders: string[] = []
afterAll(async () => {
  await removeDemos()
  for (const folder of folders) rmSync(folder, { recursive: true })
})

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'canary-moving-'))
  folders.push(folder)
  return folder
}

/** A copy of the chart to edit, with other weights. */
function copyChart(weights = '90/10'): string {
  const chart = join(temporary(), 'chart')
  cpSync(join(root, 'chart'), chart, { recursive: true })
  const [stable, canary] = weights.split('/')
  const path = join(chart, 'values-stable.yaml')
  writeFileSync(
    path,
    readFileSync(path, 'utf8')
      .replace(/stable: \d+/, `stable: ${stable}`)
      .replace(/canary: \d+/, `canary: ${canary}`),
  )
  return chart
}

function start(line: string, env: NodeJS.ProcessEnv = {}) {
  const all = { KUBECONFIG: '/dev/null', PATH: process.env.PATH, ...env }
  return execa(process.execPath, ['src/canary/main.ts', ...line.split(' ')], {
    cwd: root,
    env: all,
    extendEnv: false,
    reject: false,
  })
}

async function run(line: string, env?: NodeJS.ProcessEnv) {
  const { exitCode, stdout, stderr } = await start(line, env)
  return { exitCode, stdout, stderr }
}

const stableFile = (chart: string) => readFileSync(join(chart, 'values-stable.yaml'), 'utf8')
const chartOf = (demo: Demo) => join(demo.folder, 'chart')

describe('against the demo', () => {
  it('shift, promote and rollback move what replies say, and nothing else in the file', async () => {
    const demo = await startDemo()
    const chart = chartOf(demo)
    const before = stableFile(chart)
    const where = `--files-only --chart ${chart} --url ${demo.url}`

    const shift = await run(`shift 75/25 ${where}`)
    expect(shift).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: expect.stringMatching(/^Move traffic to 75\/25\n {2}written\nWait until replies follow\n {2}after 0\.\d s\n/),
    })
    expect(shift.stdout).toMatch(/v1\.1\.1-canary answered \d+ of 800 requests/)
    const moved = (stable: number, canary: number) =>
      before.replace('stable: 90', `stable: ${stable}`).replace('canary: 10', `canary: ${canary}`)
    expect(stableFile(chart)).toBe(moved(75, 25))

    const rollback = await run(`rollback ${where} --json`)
    expect(rollback.exitCode).toBe(0)
    const { seconds, report } = JSON.parse(rollback.stdout)
    expect(seconds).toBeGreaterThan(0)
    expect(report).toMatchObject({ verdict: 'PASS', sample: { requests: 299 } })
    expect(stableFile(chart)).toBe(moved(100, 0))

    const promote = await run(`promote --steps 50,100 ${where}`)
    expect(promote).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: expect.stringMatching(/\nPromoted: stable serves everything, as v1\.1\.1-canary\.$/),
    })
    expect(promote.stdout).toMatch(
      /Give canary 50 %, 50\/50[\s\S]*Judge canary at 50 %\n {2}PASS, 1,080 requests\nGive canary 100 %, 0\/100[\s\S]*Judge canary at 100 %[\s\S]*Give stable canary's image and env[\s\S]*Give stable all traffic back, 100\/0/,
    )
    expect(stableFile(chart)).toBe(`${moved(100, 0)}env:\n  DEVOPSAPI_VERSION: v1.1.1-canary\n`)
    const again = await run(`promote ${where} --json`)
    expect([again.exitCode, JSON.parse(again.stdout).promoted]).toEqual([0, true])
  })

  it.each(['bad', 'slow'])('promote catches the %s canary at the first step, and goes back to 100/0', async (kind) => {
    const demo = await startDemo({ args: ['--values', `chart/examples/${kind}-canary.yaml`] })
    const chart = chartOf(demo)
    const before = stableFile(chart)
    const { exitCode, stdout } = await run(`promote --steps 25,50,100 --files-only --chart ${chart} --url ${demo.url}`)
    expect(exitCode).toBe(1)
    expect(stdout).toContain('FAIL canary health')
    expect(stdout).not.toContain('Give canary 50 %')
    expect(stdout).toMatch(/Not promoted: FAIL\. Back at 100\/0, on the wire after \d+\.\d s\.$/)
    expect(stableFile(chart)).toBe(before.replace('stable: 90', 'stable: 100').replace('canary: 10', 'canary: 0'))
  })

  it('promote, killed wherever it is, goes on to the end when started again', async () => {
    const demo = await startDemo()
    const chart = chartOf(demo)
    const line = `promote --steps 50,100 --files-only --chart ${chart} --url ${demo.url}`
    const places = [
      'Judge canary at 10 %',
      'Give canary 50 %',
      'Judge canary at 50 %',
      'Give canary 100 %',
      'Judge canary at 100 %',
      'Give stable canary',
      'Give stable all',
      'Check that',
    ]
    for (const place of places) {
      const child = start(line)
      for await (const text of child) if (text.startsWith(place)) child.kill('SIGKILL')
      expect((await child).signal, `it ended before it came to "${place}"`).toBe('SIGKILL')
    }
    const { exitCode, stdout } = await run(line)
    expect(stdout).toContain('Promoted: stable serves everything, as v1.1.1-canary.')
    expect(exitCode).toBe(0)
  })

  it('promote asks between steps on a terminal, and stops where the answer is no', async () => {
    const demo = await startDemo()
    const line = `promote --pause --steps 50,100 --files-only --chart ${chartOf(demo)} --url ${demo.url}`
    const options = { cwd: root, env: { PATH: process.env.PATH, TERM: 'xterm' }, extendEnv: false, reject: false } as const
    const child = execa('script', ['-qefc', `${process.execPath} src/canary/main.ts ${line}`, '/dev/null'], options)
    const answers = ['y', 'n']
    let seen = 0
    child.stdout.on('data', (text: Buffer) => {
      if (`${text}`.includes('[Y/n]')) child.stdin.write(`${answers[seen++]}\n`)
    })
    const { stdout, exitCode } = await child
    expect(stdout).toContain('Go on: Give canary 50 %, 50/50? [Y/n]')
    expect(stdout).toContain('Go on: Give canary 100 %, 0/100? [Y/n]')
    expect(stdout).toContain('canary: interrupted: values-stable.yaml says 50/50; ')
    expect(exitCode).toBe(130)
  })

  it.each([60, 80, 120])('shows its steps on a terminal of %i columns', async (columns) => {
    const demo = await startDemo()
    const line = `shift 50/50 --files-only --chart ${chartOf(demo)} --url ${demo.url}`
    const command = `stty cols ${columns} rows 40; exec ${process.execPath} src/canary/main.ts ${line}`
    const options = {
      cwd: root,
      env: { PATH: process.env.PATH, TERM: 'xterm', NO_COLOR: '1' },
      extendEnv: false,
      reject: false,
    } as const
    const { stdout, exitCode } = await execa('script', ['-qefc', command, '/dev/null'], options)
    expect(exitCode).toBe(0)
    expect(stdout).not.toContain('\u001b[32m')
    const text = stripVTControlCharacters(stdout)
    expect(text).toContain('✔ Move traffic to 50/50: written')
    for (const part of text.split(/[\r\n]+/)) expect(part.length).toBeLessThanOrEqual(columns)
  })
})

describe.concurrent('without a cluster', () => {
  it('--files-only edits and is done', async ({ expect }) => {
    const chart = copyChart()
    expect(await run(`shift 60/40 --files-only --chart ${chart}`)).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: 'Move traffic to 60/40\n  written',
    })
    expect(await run(`shift 60/40 --files-only --chart ${chart}`)).toMatchObject({
      stdout: 'Move traffic to 60/40\n  was written before',
    })
    expect(stableFile(chart)).toContain('  stable: 60\n  canary: 40\n')
    expect((await run(`rollback --files-only --chart ${chart}`)).exitCode).toBe(0)
    expect(stableFile(chart)).toContain('  stable: 100\n  canary: 0\n')
  })

  it('--dry-run shows the edits, and does nothing', async ({ expect }) => {
    const chart = copyChart()
    const before = stableFile(chart)
    const path = join(chart, 'values-stable.yaml')
    const shift = await run(`shift 60/40 --files-only --dry-run --chart ${chart}`)
    const lines = [
      '  role: stable',
      '  traffic:',
      '-   stable: 90',
      '-   canary: 10',
      '+   stable: 60',
      '+   canary: 40',
      '  image:',
      '    tag: "1.1.1"',
    ]
    expect(shift).toEqual({ exitCode: 0, stderr: '', stdout: [path, ...lines].join('\n') })
    const promote = await run(`promote --steps 50,100 --files-only --dry-run --chart ${chart} --url http://127.0.0.1:1`)
    expect(promote.stdout.split('\n').filter((line) => /^[A-Z]/.test(line))).toEqual([
      'Judge canary at 10 %',
      'Give canary 50 %, 50/50',
      'Judge canary at 50 %',
      'Give canary 100 %, 0/100',
      'Judge canary at 100 %',
      "Give stable canary's image and env, while canary serves",
      'Give stable all traffic back, 100/0',
      'Check that every reply is from stable',
    ])
    expect(promote.stdout).toContain('+   DEVOPSAPI_VERSION: v1.1.1-canary')
    expect((await run(`rollback --files-only --dry-run --chart ${chart}`)).stdout).toContain('+   stable: 100')
    expect(stableFile(chart)).toBe(before)
  })

  it('what canary runs must not change once it is judged', async ({ expect }) => {
    const { url } = await gateway({ stable: 50, canary: 50 })
    const chart = copyChart('50/50')
    const path = join(chart, 'values-canary.yaml')
    const child = start(`promote --files-only --chart ${chart} --url ${url} --patience 2s`)
    for await (const line of child)
      if (line.startsWith('Judge canary')) writeFileSync(path, readFileSync(path, 'utf8').replace('v1.1.1-canary', 'v9'))
    const { exitCode, stderr } = await child
    expect(stderr).toBe(
      'canary: canary was given another image or env meanwhile, which nobody has judged yet; values-stable.yaml says 50/50; the same command again goes on from there, "rollback" goes back to 100/0',
    )
    expect(exitCode).toBe(1)
  })

  it('Ctrl-C says where things stand, and how to go on or back', async ({ expect }) => {
    const { url, asked } = await gateway()
    const chart = copyChart()
    const child = start(`shift 50/50 --files-only --chart ${chart} --url ${url}`)
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(20), { timeout: 30_000, interval: 5 })
    child.kill('SIGINT')
    const { exitCode, stderr } = await child
    expect(exitCode).toBe(130)
    expect(stderr).toBe(
      'canary: interrupted: values-stable.yaml says 50/50; the same command again goes on from there, "rollback" goes back to 100/0',
    )
  })

  it('what does not follow fails', async ({ expect }) => {
    const { url } = await gateway()
    const { exitCode, stdout } = await run(`shift 50/50 --files-only --chart ${copyChart()} --url ${url} --patience 1s`)
    expect(stdout).toContain('Wait until replies follow\n  not within 1 s\n')
    expect(stdout).toContain('FAIL split')
    expect(exitCode).toBe(1)
  })

  it('a gate that cannot tell is asked again with twice as many requests, and then gives up', async ({ expect }) => {
    const { url } = await gateway({ stable: 50, canary: 50, canaryErrorsEvery: 90 })
    const chart = copyChart('50/50')
    const { exitCode, stdout } = await run(`promote --files-only --chart ${chart} --url ${url} --patience 5s`)
    expect(stdout).toMatch(/INCONCLUSIVE, 1,080 requests; canary failed [56] of 540 .* chance may explain that\n/)
    expect(stdout).toContain('INCONCLUSIVE, 2,160 requests')
    expect(stdout).toContain('Not promoted: INCONCLUSIVE. Back at 100/0, but replies do not show it yet.')
    expect(exitCode).toBe(2)
    expect(stableFile(chart)).toContain('  stable: 100\n  canary: 0\n')
  })

  it('status says what it can', async ({ expect }) => {
    const { exitCode, stdout } = await run(`status --chart ${copyChart()}`)
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^declared {3}90\/10, stable 1\.1\.1\n/)
    expect(stdout).toContain('✗ the cluster cannot be read: ')
    const nothing = await run('status --chart nowhere --json')
    expect(nothing.exitCode).toBe(1)
    expect(JSON.parse(nothing.stdout).disagreements).toEqual([
      expect.stringContaining('cannot read nowhere/values-stable.yaml (there is no such file)'),
      expect.stringContaining('cannot read nowhere/values-canary.yaml (there is no such file)'),
      expect.stringContaining('the cluster cannot be read: '),
    ])
  })

  it.each(['shift 50/50', 'promote', 'rollback'])('%s says so, on one line, and edits nothing', async (command) => {
    const chart = copyChart()
    const before = stableFile(chart)
    const { exitCode, stdout, stderr } = await run(`${command} --chart ${chart}`)
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^canary: (helm status devops-api-\w+|kubectl get \S+): (?!.*memcache).*$/)
    expect(stableFile(chart)).toBe(before)
  })

  const badly = copyChart()
  writeFileSync(join(badly, 'values-stable.yaml'), 'traffic:\n  stable: "90"\n  canary: 10\n')
  it.each([
    [
      'shift 75',
      "command-argument value '75' is invalid for argument 'STABLE/CANARY'. It must be two whole numbers from 0 to 1000000, not both 0, such as 75/25.",
    ],
    [
      'shift 0/0',
      "command-argument value '0/0' is invalid for argument 'STABLE/CANARY'. It must be two whole numbers from 0 to 1000000, not both 0, such as 75/25.",
    ],
    [
      'shift 1000001/0',
      "command-argument value '1000001/0' is invalid for argument 'STABLE/CANARY'. It must be two whole numbers from 0 to 1000000, not both 0, such as 75/25.",
    ],
    [
      'promote --steps 50,25,100',
      "option '--steps <percentages>' argument '50,25,100' is invalid. It must be rising percentages that end with 100, such as 25,50,100.",
    ],
    [
      'promote --steps 25,50',
      "option '--steps <percentages>' argument '25,50' is invalid. It must be rising percentages that end with 100, such as 25,50,100.",
    ],
    [
      'promote --patience 0s',
      "option '--patience <duration>' argument '0s' is invalid. It must be a duration from 1s to 1h, such as 500ms, 30s or 2m.",
    ],
    ['promote --files-only', '--files-only needs --url here: without replies, there is nothing to judge canary by'],
    ['promote --pause', '--pause needs a terminal to ask on: leave it out here'],
    [
      'shift 75/25 --url x',
      "option '--url <URL>' argument 'x' is invalid. It must be a URL such as http://127.0.0.1:8000; /version is added where it is missing.",
    ],
    [
      'shift 75/25 --files-only --chart nowhere',
      "cannot read nowhere/values-stable.yaml (there is no such file): --chart must name the chart's folder, --values files",
    ],
    [
      'shift 75/25 --files-only --values nothing',
      "cannot read nothing (there is no such file): --chart must name the chart's folder, --values files",
    ],
    [
      `shift 75/25 --files-only --chart ${badly}`,
      `traffic.stable in ${badly}/values-stable.yaml is "90": it must be a whole number from 0 to 1000000, without quotes`,
    ],
  ])('%s is wrong use', async (line, message) => {
    expect(await run(line)).toEqual({ exitCode: 64, stdout: expect.any(String), stderr: `canary: ${message}` })
  })
})

describe.concurrent('with a cluster that is told', () => {
  const backends = [
    { name: 'devops-api-stable', weight: 90 },
    { name: 'devops-api-canary', weight: 10 },
  ]
  const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({ type, status: 'True', reason: type, observedGeneration: 1 }))
  const route = {
    kind: 'HTTPRoute',
    metadata: { name: 'devops-api-stable', namespace: 'n', generation: 1 },
    spec: { parentRefs: [{ name: 'g' }], hostnames: ['a.internal'], rules: [{ backendRefs: backends }] },
    status: { parents: [{ parentRef: { name: 'g' }, conditions }] },
  }
  const deployment = (role: string, version: string, readyReplicas = 2) => ({
    kind: 'Deployment',
    metadata: { name: `devops-api-${role}`, generation: 1 },
    spec: {
      replicas: 2,
      template: { spec: { containers: [{ image: 'devops-api:1.1.1', env: [{ name: 'DEVOPSAPI_VERSION', value: version }] }] } },
    },
    status: { observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas },
  })
  const service = (role: string) => ({ kind: 'Service', metadata: { name: `devops-api-${role}` } })
  const stable = { role: 'stable', traffic: { stable: 90, canary: 10 }, image: { tag: '1.1.1' }, gateway: { enabled: true } }
  const canary = {
    role: 'canary',
    image: { tag: '1.1.1' },
    env: { DEVOPSAPI_VERSION: 'v1.1.1-canary' },
    gateway: { enabled: false },
  }
  const release = (config: object, status = 'deployed') => ({
    version: 1,
    config,
    info: { status, last_deployed: '2026-01-01T00:00:00Z' },
  })

  interface Cluster {
    route?: object
    workloads?: object[]
    stable?: object
    canary?: object | undefined
  }

  /** A PATH with a helm and a kubectl that say what they are told, and note what they are asked. */
  async function cluster(change: Cluster = {}) {
    const { url } = await gateway()
    const folder = temporary()
    const workloads = [
      deployment('stable', 'v1.1.1'),
      deployment('canary', 'v1.1.1-canary'),
      service('stable'),
      service('canary'),
    ]
    const { hostname, port } = new URL(url)
    const answers = {
      workloads: { items: change.workloads ?? workloads },
      route: { items: [change.route ?? route] },
      gateway: {
        spec: { listeners: [{ name: 'http', port: Number(port), protocol: 'HTTP' }] },
        status: { addresses: [{ value: hostname }] },
      },
      stable: change.stable ?? release(stable),
      canary: 'canary' in change ? change.canary : release(canary),
    }
    for (const [name, answer] of Object.entries(answers)) if (answer) writeFileSync(join(folder, name), JSON.stringify(answer))
    const say = (pattern: string, name: string) =>
      `${pattern}) cat ${folder}/${name} 2>/dev/null || { echo 'Error: release: not found' >&2; exit 1; };;`
    const program = (name: string, cases: string[]) => {
      writeFileSync(
        join(folder, name),
        `#!/bin/sh\necho "${name} $*" >> ${folder}/asked\ncase "$*" in\n${cases.join('\n')}\n*) exit 1;;\nesac\n`,
      )
      chmodSync(join(folder, name), 0o755)
    }
    program('kubectl', [say('*deployments*', 'workloads'), say('*httproutes*', 'route'), say('*gateways*', 'gateway')])
    program('helm', [say('status*devops-api-stable*', 'stable'), say('status*devops-api-canary*', 'canary')])
    return { env: { PATH: `${folder}:${process.env.PATH}` }, asked: () => readFileSync(join(folder, 'asked'), 'utf8') }
  }

  it('status asks the Gateway at its address, and agrees', async ({ expect }) => {
    const { env, asked } = await cluster()
    const { exitCode, stdout } = await run(`status --chart ${copyChart()} --namespace n --kube-context c`, env)
    expect(stdout).toMatch(/^declared {3}90\/10, stable 1\.1\.1\n {11}canary 1\.1\.1, says v1\.1\.1-canary\n/)
    expect(stdout).toContain('installed  stable revision 1, deployed: v1.1.1 (devops-api:1.1.1), 2 of 2 pods ready\n')
    expect(stdout).toContain('live       90/10, Accepted and ResolvedRefs\nobserved   v1.1.1 stable 90 %, v1.1.1-canary 10 %\n')
    expect(stdout).toContain('All of it agrees.')
    expect(exitCode).toBe(0)
    expect(asked()).toContain('helm status devops-api-canary --output json --namespace n --kube-context c\n')
    expect(asked()).toContain('kubectl --namespace n --context c get deployments,services --output json --show-managed-fields\n')
  })

  it.each<[string, Cluster, string]>([
    ['canary is not installed', { canary: undefined }, 'devops-api-canary is not installed: there is nothing to promote'],
    [
      'canary failed',
      { canary: release(canary, 'failed') },
      'devops-api-canary is failed, revision 1: helm rollback it, or upgrade it, first',
    ],
    [
      'canary is not ready',
      { workloads: [deployment('stable', 'v1'), deployment('canary', 'v2', 1), service('canary')] },
      'devops-api-canary is not ready (1 of 2 pods): wait for it, or see kubectl get pods',
    ],
    [
      'its Service is missing',
      { workloads: [deployment('stable', 'v1'), deployment('canary', 'v2')] },
      'the Service devops-api-canary is missing: helm upgrade it first',
    ],
    [
      'a controller owns the route',
      { route: { ...route, metadata: { ...route.metadata, labels: { 'kustomize.toolkit.fluxcd.io/name': 'x' } } } },
      'Flux owns these objects, and would undo what is done here: edit with --files-only, and let it apply the commit',
    ],
    [
      'an upgrade would lose values',
      { stable: release({ ...stable, gateway: { enabled: true, create: false } }) },
      'devops-api-stable was installed with gateway.create, which values-stable.yaml lacks and an upgrade would lose: give the file that has it with --values',
    ],
  ])('promote refuses where %s, and edits nothing', async (_, change, message) => {
    const chart = copyChart()
    const before = stableFile(chart)
    const { env, asked } = await cluster(change)
    expect(await run(`promote --chart ${chart}`, env)).toEqual({ exitCode: 1, stdout: '', stderr: `canary: ${message}` })
    expect(stableFile(chart)).toBe(before)
    expect(asked()).not.toContain('upgrade')
  })

  it('promote refuses where stable was given the new version by hand', async ({ expect }) => {
    const chart = copyChart()
    writeFileSync(join(chart, 'values-stable.yaml'), `${stableFile(chart)}env:\n  DEVOPSAPI_VERSION: v1.1.1-canary\n`)
    const { env } = await cluster()
    const { exitCode, stderr } = await run(`promote --chart ${chart}`, env)
    expect(exitCode).toBe(1)
    expect(stderr).toContain("values-stable.yaml has canary's image and env, but stable does not run them, and still serves")
    const rollback = await run(`rollback --dry-run --chart ${chart}`, env)
    expect(rollback.stdout).toContain('-   DEVOPSAPI_VERSION: v1.1.1-canary')
  })

  it('shift runs Helm with the files it is given, and says what Helm says', async ({ expect }) => {
    const chart = copyChart()
    const overlay = join(temporary(), 'overlay.yaml')
    writeFileSync(overlay, 'replicas: 2\n')
    const { env, asked } = await cluster()
    const dry = await run(`shift 50/50 --dry-run --chart ${chart} --values ${overlay} --namespace n`, env)
    const command = `helm upgrade --install devops-api-stable ${chart} --values ${chart}/values-stable.yaml --values ${overlay} --wait --namespace n`
    expect(dry.stdout.split('\n').at(-1)).toBe(command)
    expect(asked()).not.toContain('upgrade')
    const { exitCode, stderr } = await run(`shift 50/50 --chart ${chart} --values ${overlay} --namespace n`, env)
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^canary: helm upgrade --install: /)
    expect(asked()).toContain(command)
  })
})
