import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, it } from 'vitest'
import { copyChart, stableFile, temporary } from '../commandLine.ts'
import { type Behaviour, gateway } from '../fakeService.ts'
import { fewRequests } from '../fewRequests.ts'
import { run } from '../inProcess.ts'
import { installedReleases } from '../installedReleases.ts'
import { parseOutput } from '../parseOutput.ts'

const annotation = (name: string, value: string) => `  canary.devops-api/${name}: ${JSON.stringify(value)}\n`

function annotate(chart: string, annotations: Record<string, string>): void {
  const path = join(chart, 'Chart.yaml')
  const lines = Object.entries(annotations).map(([name, value]) => annotation(name, value))
  appendFileSync(path, `${readFileSync(path, 'utf8').includes('annotations:') ? '' : 'annotations:\n'}${lines.join('')}`)
}

/** Both releases of what `helm create` and `init` make, of which canary differs in one value. */
async function foreign(answers: Behaviour, change = 'image.tag=1.17.0') {
  const folder = temporary()
  await execa('helm', ['create', 'shop'], { cwd: folder, env: { KUBECONFIG: '/dev/null' } })
  const chart = join(folder, 'shop')
  await run(`init ${chart} --gateway public`)
  const file = join(chart, 'values-stable.yaml')
  return { chart, file, ...(await installedReleases(chart, { answers, canary: ['--set', change] })) }
}

describe.concurrent('check of any application', () => {
  it.each([
    ['text', '--version-from text'],
    ['header', '--version-from header:X-Build'],
    ['nothing', '--version-from none'],
  ] as const)('that says %s, where the route says the role', async (says, options) => {
    const { expect } = await import('vitest')
    const { url } = await gateway({ says })
    const { exitCode, stdout } = await run(`check ${url} --expect 90/10 ${fewRequests} ${options}`)
    expect(stdout).toContain('answered 92 of 920 requests (10 %)')
    expect(stdout).toMatch(/^PASS canary health$/m)
    expect(exitCode).toBe(0)
  })

  it('finds the faults of one that says nothing', async ({ expect }) => {
    const { url } = await gateway({ says: 'nothing', canaryErrorsEvery: 2 })
    const { exitCode, stdout } = await run(`check ${url} --expect 90/10 ${fewRequests} --version-from none`)
    expect(stdout).toMatch(/^FAIL canary health$/m)
    expect(exitCode).toBe(1)
  })

  it('by versions, where nothing says the role', async ({ expect }) => {
    const { url } = await gateway({ says: 'text', saysRole: false })
    const check = `check ${url} ${fewRequests} --version-from text`
    expect((await run(`${check} --expect v1.1.1=90,v1.1.1-canary=10`)).exitCode).toBe(0)
    const { exitCode, stdout } = await run(`${check} --expect 90/10`)
    expect(stdout).toMatch(
      /^INCONCLUSIVE split\n {2}replies say only v1\.1\.1 and v1\.1\.1-canary, which does not tell stable and canary apart/m,
    )
    expect(exitCode).toBe(2)
  })

  it('judges the availability of one of which nothing is known, and says that it judges no more', async ({ expect }) => {
    const { url } = await gateway({ says: 'nothing', saysRole: false })
    const { exitCode, stdout } = await run(`check ${url} ${fewRequests} --version-from none --json`)
    const { expectation, gates, sample } = parseOutput('check', stdout)
    expect(expectation).toEqual([{ version: null, role: null, share: 1 }])
    expect(sample.sources).toMatchObject([{ version: null, role: null, replies: sample.requests }])
    const reason = 'replies say neither version nor role, so that nobody can tell canary from stable'
    expect(gates).toMatchObject([
      { verdict: 'PASS' },
      { verdict: 'NOT APPLICABLE', reason },
      { verdict: 'NOT APPLICABLE', reason },
    ])
    expect(exitCode).toBe(0)
    expect((await run(`check ${url} ${fewRequests} --version-from none`)).stdout).toMatch(/^expected: anybody 100 %$/m)
    // Who is told to judge a split has not judged it.
    expect((await run(`check ${url} ${fewRequests} --version-from none --expect 90/10`)).exitCode).toBe(2)
    const bad = await gateway({ says: 'nothing', saysRole: false, canary: 50, canaryErrorsEvery: 2 })
    expect((await run(`check ${bad.url} ${fewRequests} --version-from none`)).exitCode).toBe(1)
  })

  it('asks a URL without a path at --path, and one with a path as it is', async ({ expect }) => {
    const { url } = await gateway()
    const check = async (at: string) => (await run(`check ${at} --expect 90/10 ${fewRequests} --path /build?full`)).stdout
    expect(await check(url)).toContain(`${url}/build?full: `)
    expect(await check(`${url}/version`)).toContain(`${url}/version: `)
  })
})

describe.concurrent('promote of any application', () => {
  it('goes by the role that the route says, where replies say nothing', async ({ expect }) => {
    const { chart, cluster, revisions } = await foreign({ says: 'nothing' })
    annotate(chart, { 'version-from': 'none', path: '/', steps: '50,100' })
    const { exitCode, stdout, stderr } = await run(`promote --chart ${chart} ${fewRequests}`, cluster)
    expect(stderr).toBe('')
    expect(stdout).toContain('Judge canary at 50 %')
    expect(stdout).toMatch(/^Promoted: stable serves everything\.$/m)
    expect(revisions()[0]?.config).toMatchObject({ image: { tag: '1.17.0' }, traffic: { stable: 100, canary: 0 } })
    expect(exitCode).toBe(0)
  })

  it('takes a canary back that fails', async ({ expect }) => {
    const { chart, cluster, revisions } = await foreign({ says: 'nothing', canaryErrorsEvery: 2 })
    const { exitCode, stdout } = await run(`promote --chart ${chart} ${fewRequests} --version-from none`, cluster)
    expect(stdout).toContain('Not promoted: FAIL. Back at 100/0')
    expect(revisions()[0]?.config).toMatchObject({ traffic: { stable: 100, canary: 0 } })
    expect(exitCode).toBe(1)
  })

  it('goes by the tags of the images, where the version is all that replies say', async ({ expect }) => {
    const { chart, cluster } = await foreign({ says: 'header', saysRole: false })
    const by = '--version-from header:x-build --role-from version'
    const { exitCode, stdout } = await run(`promote --chart ${chart} ${fewRequests} ${by}`, cluster)
    expect(stdout).toContain('Promoted: stable serves everything, as 1.17.0.\nReplies do not tell it from canary')
    expect(exitCode).toBe(0)
  })

  it.each<[string, Behaviour, string, RegExp, string?]>([
    ['say nothing', { says: 'nothing' }, '--version-from none', /replies say neither version nor role/],
    [
      'say a version alone',
      { says: 'text' },
      '--version-from text',
      /replies say only v1\.16\.0, which does not tell stable and/,
    ],
    [
      'say the same version for both',
      { says: 'text' },
      '--version-from text --role-from version',
      /replies say only v1\.16\.0, which does not tell 1\.16\.0 stable and 1\.16\.0 canary apart/,
      'podAnnotations.a=b',
    ],
  ])('is refused before anything happens where replies %s', async (_, answers, options, reason, change) => {
    const { expect } = await import('vitest')
    const { chart, cluster, asked } = await foreign({ ...answers, saysRole: false }, change)
    const before = stableFile(chart)
    const { exitCode, stderr } = await run(`promote --chart ${chart} ${fewRequests} ${options}`, cluster)
    expect(stderr).toMatch(reason)
    expect(stderr).toMatch(/^canary: canary cannot be judged: .*: --version-from and --role-from say where replies tell/)
    expect([exitCode, stableFile(chart)]).toEqual([64, before])
    expect(asked.filter((call) => /^helm upgrade(?!.*--dry-run)/.test(call))).toEqual([])
  })

  it('acts first where it goes back, and says what it could not see', async ({ expect }) => {
    const { chart, cluster, revisions } = await foreign({ says: 'nothing', saysRole: false })
    await run(`shift 50/50 --chart ${chart} ${fewRequests} --version-from none`, cluster)
    const { exitCode, stdout } = await run(`rollback --chart ${chart} ${fewRequests} --version-from none`, cluster)
    expect(revisions()[0]?.config).toMatchObject({ traffic: { stable: 100, canary: 0 } })
    expect(stdout).toContain('replies say neither version nor role')
    expect(exitCode).toBe(2)
  })
})

describe.concurrent('annotations of Chart.yaml', () => {
  it('count where the command line says nothing', async ({ expect }) => {
    const { url } = await gateway({ says: 'text' })
    const chart = copyChart()
    annotate(chart, { 'version-from': 'text', path: '/build', 'max-p95-increase': '30s', 'max-error-rate': '100%' })
    const check = `check ${url} --expect 90/10 --timeout 60s --chart ${chart}`
    const { exitCode, stdout } = await run(check)
    expect(stdout).toContain(`${url}/build: `)
    expect(stdout).toContain('at most 100 % may')
    expect(exitCode).toBe(0)
    const given = await run(`${check} --path /other --version-from json:/x`)
    expect(given.stdout).toContain(`${url}/other: `)
    expect(given.exitCode).toBe(2)
  })

  it('are shown by status', async ({ expect }) => {
    const { chart, cluster } = await foreign({ says: 'nothing' })
    annotate(chart, { 'version-from': 'none', path: '/', steps: '50,100' })
    const { stdout } = await run(`status --chart ${chart} --max-p95-increase 30s`, cluster)
    expect(stdout).toMatch(/^options {4}--version-from none, --path \/, --steps 50,100, as Chart\.yaml says$/m)
    const { annotations, cluster: seen } = parseOutput(
      'status',
      (await run(`status --json --chart ${chart} --max-p95-increase 30s`, cluster)).stdout,
    )
    expect(annotations).toEqual({ 'version-from': 'none', path: '/', steps: '50,100' })
    expect(seen?.addresses[0]?.url).toMatch(/:\d+\/$/)
  })

  it.each([
    [
      'tolerance',
      '5',
      /annotation canary\.devops-api\/tolerance in .*Chart\.yaml is "5": It must be a percentage from 0\.1% to 50%/,
    ],
    ['version-from', 'body', /version-from in .* is "body": It must be json:\/POINTER/],
    ['path', 'version', /path in .* is "version": It must be a path that begins with one '\/'/],
    ['versionfrom', 'none', /annotation canary\.devops-api\/versionfrom in .* is not known: there are path, version-from, /],
  ])('are refused by their name: %s', async (name, value, reason) => {
    const { expect } = await import('vitest')
    const chart = copyChart()
    annotate(chart, { [name]: value })
    const { exitCode, stdout, stderr } = await run(`check http://127.0.0.1:1 --chart ${chart}`)
    expect(stderr).toMatch(reason)
    expect([exitCode, stdout]).toEqual([64, ''])
  })

  it('keep no traffic from going back', async ({ expect }) => {
    const chart = copyChart()
    annotate(chart, { 'version-from': 'body' })
    const { cluster, revisions } = await installedReleases(chart, { answers: {} })
    const { exitCode, stderr } = await run(`rollback --chart ${chart} ${fewRequests}`, cluster)
    expect(stderr).toContain('is "body": It must be')
    expect(revisions()[0]?.config).toMatchObject({ traffic: { stable: 100, canary: 0 } })
    expect(exitCode).toBe(0)
  })
})
