import { readFileSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { removeDemos, startDemo } from '../../demo/startDemo.ts'
import { copyChart, run, stableFile, start, startOnTerminal } from '../commandLine.ts'
import { canary, deployment, type FakeCluster, fakeCluster, release, route, service } from '../fakeCluster.ts'
import { gateway } from '../fakeService.ts'
import { parseOutput } from '../parseOutput.ts'

afterAll(removeDemos)

describe('against the demo', () => {
  it('moves what replies say, and changes nothing else in the file', async () => {
    const demo = await startDemo()
    const chart = join(demo.folder, 'chart')
    const before = stableFile(chart)
    const where = `--files-only --chart ${chart} --url ${demo.url}`

    const promote = await run(`promote --steps 50,100 --max-p95-increase 30s ${where}`)
    expect(promote).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: expect.stringMatching(/\nPromoted: stable serves everything, as v1\.1\.1-canary\.$/),
    })
    expect(promote.stdout).toMatch(
      /Give canary 50 %, 50\/50[\s\S]*Judge canary at 50 %\n {2}PASS, [24],\d{3} requests\nGive canary 100 %, 0\/100[\s\S]*Judge canary at 100 %[\s\S]*Give stable what canary runs[\s\S]*Give stable all traffic back, 100\/0/,
    )
    expect(stableFile(chart)).toBe(
      `${before.replace('stable: 90', 'stable: 100').replace('canary: 10', 'canary: 0')}env:\n  DEVOPSAPI_VERSION: v1.1.1-canary\n`,
    )
    const again = await run(`promote --max-p95-increase 30s ${where} --json`)
    expect([again.exitCode, parseOutput('promote', again.stdout).outcome]).toEqual([0, 'nothing to promote'])
  })

  it.each(['bad', 'slow'])('catches the %s canary at the first step, and goes back to 100/0', async (kind) => {
    const demo = await startDemo({ args: ['--values', `chart/examples/${kind}-canary.yaml`] })
    const chart = join(demo.folder, 'chart')
    const before = stableFile(chart)
    const { exitCode, stdout } = await run(`promote --steps 25,50,100 --files-only --chart ${chart} --url ${demo.url}`)
    expect(exitCode).toBe(1)
    expect(stdout).toContain('FAIL canary health')
    expect(stdout).not.toContain('Give canary 50 %')
    expect(stdout).toMatch(/\nThis took [\d,]+ requests to canary, of which [\d,]+ failed\.\n/)
    expect(stdout).toMatch(/Not promoted: FAIL\. Back at 100\/0, on the wire after \d+\.\d s\.$/)
    expect(stableFile(chart)).toBe(before.replace('stable: 90', 'stable: 100').replace('canary: 10', 'canary: 0'))
  })

  it('killed wherever it is, goes on to the end when started again', async () => {
    const demo = await startDemo()
    const chart = join(demo.folder, 'chart')
    const line = `promote --steps 50,100 --max-p95-increase 30s --files-only --chart ${chart} --url ${demo.url}`
    const places = [
      'Judge canary at 10 %',
      'Give canary 50 %',
      'Judge canary at 50 %',
      'Give canary 100 %',
      'Judge canary at 100 %',
      'Give stable what canary',
      'Give stable all',
    ]
    for (const place of places) {
      const child = start(line)
      for await (const text of child) if (text.startsWith(place)) child.kill('SIGKILL')
      expect((await child).signal, `it ended before it came to "${place}"`).toBe('SIGKILL')
    }
    const { exitCode, stdout } = await run(line)
    // Where the last edit was made before the kill, files alone do not tell what was judged.
    expect(stdout).toMatch(
      /^(Promoted: stable serves everything, as v1\.1\.1-canary|Nothing to promote: stable runs what canary runs)\.$/m,
    )
    expect(exitCode).toBe(0)
  })

  it('asks between steps on a terminal, and stops where the answer is no', async () => {
    const demo = await startDemo()
    const line = `promote --pause --steps 50,100 --files-only --chart ${join(demo.folder, 'chart')} --url ${demo.url}`
    const child = startOnTerminal(line, 120)
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
})

describe.concurrent('promote', () => {
  it('--dry-run shows the edits, and does nothing', async ({ expect }) => {
    const chart = copyChart()
    const before = stableFile(chart)
    const promote = await run(`promote --steps 50,100 --files-only --dry-run --chart ${chart} --url http://127.0.0.1:1`)
    expect(promote.stdout.split('\n').filter((line) => /^[A-Z]/.test(line))).toEqual([
      'Judge canary at 10 %',
      'Give canary 50 %, 50/50',
      'Judge canary at 50 %',
      'Give canary 100 %, 0/100',
      'Judge canary at 100 %',
      'Give stable what canary runs, while canary serves',
      'Give stable all traffic back, 100/0',
      'Check that every reply is from stable',
    ])
    expect(promote.stdout).toContain('+   DEVOPSAPI_VERSION: v1.1.1-canary')
    expect(stableFile(chart)).toBe(before)
  })

  it('what canary runs is judged again where it changes once it is judged', async ({ expect }) => {
    const { url } = await gateway({ stable: 50, canary: 50 })
    const chart = copyChart('50/50')
    const path = join(chart, 'values-canary.yaml')
    const child = start(`promote --files-only --chart ${chart} --url ${url} --patience 2s`)
    for await (const line of child)
      if (line.startsWith('Judge canary')) writeFileSync(path, readFileSync(path, 'utf8').replace('v1.1.1-canary', 'v9'))
    const { exitCode, stdout } = await child
    expect(stdout).toContain('Canary was given something else meanwhile: it is judged again.')
    expect(stdout).toContain('Not promoted: FAIL.')
    expect(exitCode).toBe(1)
  })

  it('where nobody can be asked any more, asks again, and then gives up', async ({ expect }) => {
    const insteadOfCanary: RequestListener = (_, response) => void response.writeHead(404).end()
    const { url, weights } = await gateway({ stable: 50, canary: 50, insteadOfCanary })
    const chart = copyChart('50/50')
    const child = start(`promote --files-only --chart ${chart} --url ${url} --patience 3s`)
    let isAway = false
    for await (const line of child) {
      if (!isAway && line === 'Wait until replies follow') {
        isAway = true
        Object.assign(weights, { stable: 0, canary: 100 })
      }
      if (line === 'INCONCLUSIVE') Object.assign(weights, { stable: 100, canary: 0 })
    }
    const { exitCode, stdout } = await child
    expect(stdout.split('INCONCLUSIVE, 66 requests; nobody answered as devops-api').length).toBeGreaterThan(2)
    expect(stdout).toMatch(
      /This took 0 requests to canary, of which 0 failed\.\nNot promoted: INCONCLUSIVE\. Back at 100\/0, on the wire after \d+\.\d s\.$/,
    )
    expect(exitCode).toBe(2)
    expect(stableFile(chart)).toContain('  stable: 100\n  canary: 0\n')
  })

  it('asks no more often than it is told, once', async ({ expect }) => {
    const { url } = await gateway({ stable: 50, canary: 50 })
    const line = `promote --files-only --chart ${copyChart('50/50')} --url ${url} --patience 1s --requests 200 --json`
    const { exitCode, stdout } = await run(line)
    const { steps, report, byCanary } = parseOutput('promote', stdout)
    expect(steps.filter(({ step }) => step.startsWith('Judge'))).toEqual([
      expect.objectContaining({ result: expect.stringMatching(/^INCONCLUSIVE, 200 requests; /) }),
    ])
    expect([exitCode, report?.verdict, byCanary.errors]).toEqual([2, 'INCONCLUSIVE', 0])
    // Those that waited for the replies to follow have met canary as well.
    expect(byCanary.replies).toBeGreaterThan(200)
  })

  it('says so on one line where there is no cluster, and edits nothing', async () => {
    const chart = copyChart()
    const before = stableFile(chart)
    const { exitCode, stdout, stderr } = await run(`promote --chart ${chart}`)
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^canary: (helm status devops-api-\w+|kubectl get \S+): (?!.*memcache).*$/)
    expect(stableFile(chart)).toBe(before)
  })

  it.each([
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
  ])('%s is wrong use', async (line, message) => {
    expect(await run(line)).toEqual({ exitCode: 64, stdout: expect.any(String), stderr: `canary: ${message}` })
  })

  it.each<[string, FakeCluster, string]>([
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
  ])('refuses where %s, and edits nothing', async (_, change, message) => {
    const chart = copyChart()
    const before = stableFile(chart)
    const { env, asked } = await fakeCluster(change)
    expect(await run(`promote --chart ${chart}`, env)).toEqual({ exitCode: 1, stdout: '', stderr: `canary: ${message}` })
    expect(stableFile(chart)).toBe(before)
    expect(asked()).not.toContain('upgrade')
  })
})
