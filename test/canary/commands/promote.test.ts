import { readFileSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { removeDemos, startDemo } from '../../demo/startDemo.ts'
import { copyChart, stableFile, start, startOnTerminal } from '../commandLine.ts'
import { canary, deployment, type FakeCluster, fakeCluster, release, route, service } from '../fakeCluster.ts'
import { fakePrometheus, pair } from '../fakePrometheus.ts'
import { type Behaviour, gateway } from '../fakeService.ts'
import { fewRequests } from '../fewRequests.ts'
import { run } from '../inProcess.ts'
import { installedReleases } from '../installedReleases.ts'
import { parseOutput } from '../parseOutput.ts'

afterAll(removeDemos)

describe('against the demo', () => {
  it('moves what replies say, and changes nothing else in the file', async () => {
    const demo = await startDemo()
    const chart = join(demo.folder, 'chart')
    const before = stableFile(chart)
    const where = `--files-only --chart ${chart} --url ${demo.url}`

    const promote = await run(`promote --steps 50/50,0/100 ${fewRequests} ${where}`)
    expect(promote).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: expect.stringMatching(/\nPromoted: stable serves everything, as v1\.1\.1-canary\.$/),
    })
    expect(promote.stdout).toMatch(
      /Give canary 50 %, 50\/50[\s\S]*Judge canary at 50 %\n {2}PASS, [\d,]+ requests\nGive canary 100 %, 0\/100[\s\S]*Judge canary at 100 %[\s\S]*Give stable what canary runs[\s\S]*Give stable all traffic back, 100\/0/,
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
    // Whichever is sure first.
    expect(stdout).toMatch(kind === 'bad' ? /FAIL (availability|canary health)/ : /FAIL canary health/)
    expect(stdout).not.toContain('Give canary 50 %')
    expect(stdout).toMatch(/\nThis took [\d,]+ requests to canary, of which [\d,]+ failed\.\n/)
    expect(stdout).toMatch(/Not promoted: FAIL\. Back at 100\/0, on the wire after \d+\.\d s\.$/)
    expect(stableFile(chart)).toBe(before.replace('stable: 90', 'stable: 100').replace('canary: 10', 'canary: 0'))
  })
})

describe('in a process of its own', () => {
  it('killed wherever it is, goes on to the end when started again', async () => {
    const chart = copyChart('50/50')
    const { url, weights, versions } = await gateway({ stable: 50, canary: 50 })
    const line = `promote --steps 100 ${fewRequests} --files-only --chart ${chart} --url ${url}`
    /** Replies follow what is written. */
    const promote = async (killedAt?: string) => {
      const child = start(line)
      for await (const text of child) {
        const { traffic, env } = parse(stableFile(chart))
        Object.assign(weights, traffic)
        versions.stable = env?.DEVOPSAPI_VERSION ?? 'v1.1.1'
        if (killedAt && text.startsWith(killedAt)) child.kill('SIGKILL')
      }
      return child
    }
    for (const place of [
      'Judge canary at 50 %',
      'Give canary 100 %',
      'Judge canary at 100 %',
      'Give stable what',
      'Give stable all',
    ])
      expect((await promote(place)).signal, `it ended before it came to "${place}"`).toBe('SIGKILL')
    const { exitCode, stdout } = await promote()
    // Where the last edit was made before the kill, files alone do not tell what was judged.
    expect(stdout).toMatch(
      /^(Promoted: stable serves everything, as v1\.1\.1-canary|Nothing to promote: stable runs what canary runs)\.$/m,
    )
    expect(exitCode).toBe(0)
  })

  it('asks between steps on a terminal, and stops where the answer is no', async () => {
    const chart = copyChart()
    const { url, weights } = await gateway()
    const line = `promote --pause --steps 50,100 ${fewRequests} --files-only --chart ${chart} --url ${url}`
    const child = startOnTerminal(line, 120)
    const answers = ['y', 'n']
    let seen = 0
    child.stdout.on('data', (text: Buffer) => {
      Object.assign(weights, parse(stableFile(chart)).traffic)
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
    const child = start(`promote --files-only --chart ${chart} --url ${url} --patience 2s ${fewRequests}`)
    for await (const line of child)
      if (line.startsWith('Judge canary')) writeFileSync(path, readFileSync(path, 'utf8').replace('v1.1.1-canary', 'v9'))
    const { exitCode, stdout } = await child
    expect(stdout).toContain('Canary was given something else meanwhile: it is judged again.')
    expect(stdout).toContain('Not promoted: FAIL.')
    expect(exitCode).toBe(1)
  })

  it.each<[string, RequestListener, number, RegExp]>([
    ['says nothing', () => {}, 2, /20 × timeout/],
    ['hangs up', (request) => void request.socket.destroy(), 2, /\d+ × connection reset/],
    ['is not found', (_, response) => void response.writeHead(404).end(), 2, /\d+ × 404 without a version/],
    ['has no pod that is ready', (_, response) => void response.writeHead(503).end(), 1, /\d+ × 503 without a version/],
  ])('a canary that has everything and then %s is taken back at once', async (_, silent, code, what) => {
    const chart = copyChart('0/100')
    let asked = 0
    const answers: Behaviour = {
      insteadOfCanary(request, response) {
        // At the most so many are asked to find the place.
        if (asked++ >= 20) silent(request, response)
        else response.writeHead(200, { 'app-version': 'v1.1.1-canary' }).end('{"version":"v1.1.1-canary"}')
      },
    }
    const { cluster, revisions } = await installedReleases(chart, { answers })
    const { exitCode, stdout, stderr } = await run(
      `promote --chart ${chart} --timeout ${what.source.includes('timeout') ? '2s' : '60s'}`,
      cluster,
    )
    expect([exitCode, stderr]).toEqual([code, ''])
    expect(stdout.match(/^Judge canary/gm)).toHaveLength(1)
    expect(stdout).toMatch(what)
    if (code === 2) expect(stdout).toContain('Somebody answered here before, and nobody does any more')
    else expect(stdout).toContain('no pod is ready (canary)')
    const verdict = code === 2 ? 'INCONCLUSIVE' : 'FAIL'
    expect(stdout).toContain(`Not promoted: ${verdict}. Back at 100/0, `)
    expect(stdout).not.toContain('so stable is back at revision')
    expect(revisions()[0]?.config).toMatchObject({ traffic: { stable: 100, canary: 0 } })
    expect(revisions()[0]?.info.description).toMatch(
      new RegExp(`take traffic back; weights 100/0; after ${verdict} at 100 %, \\d+ requests`),
    )
    expect(stableFile(chart)).toContain('  stable: 100\n  canary: 0\n')
  })

  it('a gateway that limits how often it is asked is not taken for a bad canary', async () => {
    const chart = copyChart('50/50')
    const { cluster } = await installedReleases(chart, { answers: { limitedEvery: 3 } })
    const { exitCode, stdout } = await run(`promote --chart ${chart} --patience 1s ${fewRequests}`, cluster)
    expect(stdout).toMatch(/INCONCLUSIVE, \d+ requests; \d+ of \d+ requests were too many for a rate limit .*: lower --rate/)
    expect(stdout).not.toMatch(/FAIL/)
    expect(stdout).toContain('Not promoted: INCONCLUSIVE. Back at 100/0, ')
    expect(exitCode).toBe(2)
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

  it('takes back a canary that fails real traffic alone', async () => {
    const chart = copyChart('50/50')
    const { cluster, revisions } = await installedReleases(chart, { answers: {} })
    const { url } = await fakePrometheus({ scrape: pair({ stable: 500, canary: 500, failed: 50 }) })
    const line = `promote --chart ${chart} --namespace shop ${fewRequests} --prometheus ${url} --bake 1h`
    const { exitCode, stdout } = await run(line, cluster)
    expect(stdout).toMatch(
      /Judge canary at 50 %\n {2}PASS, [\d,]+ requests\nJudge canary at 50 %, by real traffic\n {2}FAIL, [\d,]+ requests\n/,
    )
    expect(stdout).toMatch(/^http:\S+: [\d,]+ requests of real traffic in/m)
    expect(stdout).toMatch(
      /^This took [\d,]+ requests to canary, of which 0 failed\.\nOf real traffic, it took [\d,]+ requests to canary, of which [\d,]*\d0 failed\.$/m,
    )
    expect(stdout).toMatch(/^Not promoted: FAIL\. Back at 100\/0, /m)
    expect(exitCode).toBe(1)
    expect(revisions()[0]?.config).toMatchObject({ traffic: { stable: 100, canary: 0 } })
  })

  it('judges real traffic as long as there is stable to compare with, and promotes', async () => {
    const chart = copyChart('50/50')
    const { cluster } = await installedReleases(chart, { answers: {} })
    const { url } = await fakePrometheus({ scrape: pair({ stable: 500, canary: 500 }) })
    const line = `promote --chart ${chart} --namespace shop ${fewRequests} --prometheus ${url} --bake 1s --steps 100 --json`
    const { steps, outcome, report } = parseOutput('promote', (await run(line, cluster)).stdout)
    expect([outcome, report?.from]).toEqual(['promoted', 'own requests'])
    expect(steps.map(({ step }) => step).filter((step) => step.startsWith('Judge'))).toEqual([
      'Judge canary at 50 %',
      'Judge canary at 50 %, by real traffic',
      'Judge canary at 100 %',
    ])
  })

  it('keeps a little stable to compare real traffic with at the last step, unless told otherwise', async ({ expect }) => {
    const line = `promote --files-only --dry-run --chart ${copyChart()} --url http://127.0.0.1:1 --prometheus http://127.0.0.1:1`
    const judged = async (more: string) => (await run(line + more)).stdout.match(/^(Judge canary at.*| {2}and by.*)$/gm)
    expect(await judged('')).toEqual([
      'Judge canary at 10 %',
      '  and by 300 s of real traffic',
      'Judge canary at 99 %',
      '  and by 300 s of real traffic',
      'Judge canary at 100 %',
    ])
    expect(await judged(' --steps 100 --bake 1m')).toEqual([
      'Judge canary at 10 %',
      '  and by 60 s of real traffic',
      'Judge canary at 100 %',
    ])
  })

  it('does nothing where there is no Prometheus to ask', async ({ expect }) => {
    const chart = copyChart()
    const before = stableFile(chart)
    const { cluster, revisions } = await installedReleases(chart)
    const { exitCode, stderr } = await run(`promote --chart ${chart} --prometheus http://127.0.0.1:1`, cluster)
    expect([exitCode, stderr]).toEqual([
      64,
      'canary: Prometheus at http://127.0.0.1:1 cannot be asked (connection refused): --prometheus must be where one answers, such as http://127.0.0.1:9090',
    ])
    expect([stableFile(chart), revisions().length]).toEqual([before, 1])
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
      "option '--steps <percentages>' argument '50,25,100' is invalid. It must be rising whole percentages that end with 100, such as 25,50,100 or 75/25,50/50,0/100.",
    ],
    [
      'promote --steps 25,50',
      "option '--steps <percentages>' argument '25,50' is invalid. It must be rising whole percentages that end with 100, such as 25,50,100 or 75/25,50/50,0/100.",
    ],
    [
      'promote --steps 2/1,0/1',
      "option '--steps <percentages>' argument '2/1,0/1' is invalid. It must be rising whole percentages that end with 100, such as 25,50,100 or 75/25,50/50,0/100.",
    ],
    [
      'promote --steps 3/1,1/1,0/1 --files-only',
      '--files-only needs --url here: without replies, there is nothing to judge canary by',
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
    const { cluster, asked } = await fakeCluster(change)
    expect(await run(`promote --chart ${chart}`, cluster)).toEqual({ exitCode: 1, stdout: '', stderr: `canary: ${message}` })
    expect(stableFile(chart)).toBe(before)
    expect(asked.join('\n')).not.toContain('upgrade')
  })
})
