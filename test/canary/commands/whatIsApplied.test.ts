import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { copyChart, run, stableFile, temporary } from '../commandLine.ts'
import { installedReleases } from '../installedReleases.ts'

/** A file to lay over others. */
function overlay(text: string): string {
  const path = join(temporary(), 'overlay.yaml')
  writeFileSync(path, text)
  return path
}

const edit = (path: string, from: string | RegExp, to: string) =>
  writeFileSync(path, readFileSync(path, 'utf8').replace(from, to))

describe.concurrent('shift changes what it says and no more', () => {
  it('moves the weights from what is installed, and says why in the history', async ({ expect }) => {
    const chart = copyChart()
    const { env, revisions } = await installedReleases(chart)
    const shift = await run(`shift 100/0 --chart ${chart} --because INC-7`, env)
    expect([shift.exitCode, shift.stderr]).toEqual([0, ''])
    const [newest, before] = revisions()
    expect(newest?.info.description).toBe('canary shift: move traffic; weights 100/0; because INC-7')
    expect(newest?.config).toEqual({ ...before?.config, traffic: { stable: 100, canary: 0 } })
  })

  it('--dry-run shows all that the upgrade would change', async ({ expect }) => {
    const chart = copyChart()
    const { env, revisions } = await installedReleases(chart)
    const { exitCode, stdout } = await run(`shift 75/25 --dry-run --chart ${chart}`, env)
    expect(stdout).toContain('helm upgrade devops-api-stable')
    expect(stdout).toContain('HTTPRoute devops-api-stable: spec.rules[0].backendRefs[devops-api-stable].weight 90 → 75')
    expect(stdout.match(/→/g)).toHaveLength(2)
    expect(exitCode).toBe(0)
    expect(revisions()).toHaveLength(1)
  })

  it.each<[string, { stable: string[] } | { replicas: Record<string, number> }, string | undefined, RegExp]>([
    [
      'values set at the install',
      { stable: ['--set-string', 'image.tag=v1.1.1-canary', '--set-string', 'env.LOG_LEVEL=debug'] },
      undefined,
      /image "devops-api:v1\.1\.1-canary" → "devops-api:1\.1\.1"/,
    ],
    [
      'a value set at the install',
      { stable: ['--set-string', 'env.LOG_LEVEL=debug'] },
      undefined,
      /env\[LOG_LEVEL\] \{.*\} → nothing/,
    ],
    [
      'a file that is not named',
      { stable: ['--values', overlay('image:\n  repository: registry/x\n')] },
      undefined,
      /"registry\/x:1\.1\.1"/,
    ],
    ['an edit that is not applied', { stable: [] }, 'tag: "9.9.9"', /"devops-api:1\.1\.1" → "devops-api:9\.9\.9"/],
    ['pods that somebody has scaled', { replicas: { 'devops-api-stable': 5 } }, undefined, /spec\.replicas \(scaled .*\) 5 → 2/],
  ])('%s refuses the step', async (_, installed, tag, message) => {
    const { expect } = await import('vitest')
    const chart = copyChart()
    const { env, revisions } = await installedReleases(chart, installed)
    if (tag) edit(join(chart, 'values-stable.yaml'), 'tag: "1.1.1"', tag)
    const before = stableFile(chart)
    for (const command of ['shift 75/25', 'promote --dry-run']) {
      const { exitCode, stderr } = await run(`${command} --chart ${chart}`, env)
      expect(stderr).toMatch(message)
      expect(stderr).toMatch(/write what is installed into values-stable\.yaml.*or apply the files first with "helm upgrade /)
      expect(exitCode).toBe(1)
    }
    expect(stableFile(chart)).toBe(before)
    expect(revisions()).toHaveLength(1)
  })

  it('a file that is named counts, whatever it sets', async ({ expect }) => {
    const chart = copyChart()
    const file = overlay('image:\n  repository: registry/x\n')
    const { env, revisions } = await installedReleases(chart, { stable: ['--values', file], canary: ['--values', file] })
    expect(await run(`shift 100/0 --chart ${chart} --values ${file}`, env)).toMatchObject({ exitCode: 0, stderr: '' })
    expect(revisions()[0]?.config).toMatchObject({ image: { repository: 'registry/x' } })
  })

  it('another chart refuses the step', async ({ expect }) => {
    const [old, chart] = [copyChart(), copyChart()]
    edit(join(chart, 'Chart.yaml'), /^version: .*$/m, 'version: 1.2.0')
    const { env } = await installedReleases(chart, { charts: { stable: old } })
    const { exitCode, stderr } = await run(`shift 75/25 --chart ${chart}`, env)
    expect(stderr).toContain('"devops-api-1.1.1" → "devops-api-1.2.0"')
    expect(exitCode).toBe(1)
  })

  it('what a chart draws at random does not count, and is named', async ({ expect }) => {
    const chart = copyChart()
    const random = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: random}\ndata: {a: "{{ randAlphaNum 8 }}"}\n'
    writeFileSync(join(chart, 'templates/random.yaml'), random)
    const { env } = await installedReleases(chart)
    const { exitCode, stdout } = await run(`shift 100/0 --chart ${chart}`, env)
    expect(stdout).toContain('The chart renders this anew each time: ConfigMap random: data.a "')
    expect(exitCode).toBe(0)
  })

  it('a share too small to be judged is known before the edit', async ({ expect }) => {
    const chart = copyChart()
    const before = stableFile(chart)
    const { env } = await installedReleases(chart)
    const { exitCode, stderr } = await run(`shift 9999/1 --chart ${chart}`, env)
    expect(stderr).toMatch(
      /^canary: to judge 9999\/1 takes [\d,]+ requests, and more in case of doubt: say how many at most with --requests, or choose a larger share$/,
    )
    expect(exitCode).toBe(64)
    expect(stableFile(chart)).toBe(before)
  })
})

describe.concurrent('rollback moves weights, whatever else is the matter', () => {
  const back = { stable: 100, canary: 0 }

  it.each<[string, Parameters<typeof installedReleases>[1], string | undefined, RegExp]>([
    ['an edit that is not applied', {}, 'tag: "9.9.9"', /The files say more, which is not installed: .*"devops-api:9\.9\.9"/],
    [
      'values set at the install',
      { stable: ['--set-string', 'env.LOG_LEVEL=debug'] },
      undefined,
      /The files say more, which is not installed: .*LOG_LEVEL/,
    ],
    ['a Gateway that is not found', { gateway: null }, undefined, /Nobody was asked: nobody knows where to ask/],
    ['objects that may not be read', { unreadable: ['deployment', 'httproutes'] }, undefined, /Nobody was asked: /],
    [
      'records that may not be read',
      { unreadable: ['secret'] },
      undefined,
      /The chart comes from .*, as the installed one is not known/,
    ],
    [
      'a file that is sealed',
      {},
      'tag: "1.1.1"\nsops: {mac: x}',
      /Traffic has moved, but values-stable\.yaml does not say so yet: .*by hand/,
    ],
    ['a file that is broken', {}, 'tag: "1.1.1', /Traffic has moved, but values-stable\.yaml does not say so yet: /],
  ])('%s', async (_, installed, tag, message) => {
    const { expect } = await import('vitest')
    const chart = copyChart()
    const { env, revisions } = await installedReleases(chart, installed)
    if (tag) edit(join(chart, 'values-stable.yaml'), 'tag: "1.1.1"', tag)
    const { stdout, stderr } = await run(`rollback --chart ${chart}`, env)
    expect(stderr).toBe('')
    expect(stdout).toMatch(message)
    const [newest, before] = revisions()
    expect(newest?.config).toEqual({ ...before?.config, traffic: back })
    expect(newest?.info.description).toBe('canary rollback: take traffic back; weights 100/0')
  })

  it('leaves as many pods as there are', async ({ expect }) => {
    const chart = copyChart()
    const { env, revisions } = await installedReleases(chart, { replicas: { 'devops-api-stable': 5 } })
    expect((await run(`rollback --chart ${chart}`, env)).exitCode).toBe(0)
    expect(revisions()[0]?.config).toMatchObject({ replicas: 5, traffic: back })
  })

  it('leaves the chart that is installed', async ({ expect }) => {
    const [old, chart] = [copyChart(), copyChart()]
    edit(join(chart, 'Chart.yaml'), /^version: .*$/m, 'version: 1.2.0')
    const { env, revisions } = await installedReleases(chart, { charts: { stable: old } })
    await run(`rollback --chart ${chart}`, env)
    const [newest, before] = revisions()
    expect(
      newest?.manifest.replace(/ +- group: ""\n.*\n +name: devops-api-canary\n.*\n.*\n/, '').replace('weight: 100', 'weight: 90'),
    ).toBe(before?.manifest.replace(/ +- group: ""\n.*\n +name: devops-api-canary\n.*\n.*\n/, ''))
  })

  it('--dry-run shows what it would do', async ({ expect }) => {
    const chart = copyChart()
    const { env, revisions } = await installedReleases(chart)
    const { exitCode, stdout } = await run(`rollback --dry-run --chart ${chart}`, env)
    expect(stdout).toContain('+   stable: 100')
    expect(stdout).toContain('backendRefs[devops-api-stable].weight 90 → 100')
    expect(exitCode).toBe(0)
    expect(revisions()).toHaveLength(1)
  })
})

describe.concurrent('promote gives what was judged', () => {
  const canaryWith = (text: string) => ({ canary: ['--values', overlay(text)] })

  it.each<[string, string, RegExp]>([
    ['resources', 'resources:\n  limits:\n    memory: 256Mi\n', /limits\.memory "192Mi" → "256Mi"/],
    ['probes', 'probes:\n  readiness:\n    periodSeconds: 1\n', /readinessProbe\.periodSeconds 2 → 1/],
    ['annotations', 'podAnnotations:\n  a: b\n', /template\.metadata\.annotations nothing → \{"a":"b"\}/],
    ['volumes', 'extraVolumes:\n  - name: x\n    emptyDir: {}\n', /spec\.template\.spec\.volumes nothing/],
    [
      'an image by its digest',
      `image:\n  digest: sha256:${'1'.repeat(64)}\n`,
      /image "devops-api:1\.1\.1" → "devops-api@sha256:1/,
    ],
  ])('%s', async (_, text, line) => {
    const { expect } = await import('vitest')
    const chart = copyChart()
    edit(join(chart, 'values-canary.yaml'), /env:\n.*\n/, '')
    const { env } = await installedReleases(chart, canaryWith(text))
    const { exitCode, stdout, stderr } = await run(`promote --steps 50,100 --dry-run --chart ${chart}`, env)
    expect([exitCode, stderr]).toEqual([0, ''])
    const [, given = ''] = /Give stable what canary runs, while canary serves\n([\s\S]*)Give stable all/.exec(stdout) ?? []
    expect(given).toMatch(line)
  })

  it('and refuses where stable would get something else', async ({ expect }) => {
    const chart = copyChart()
    const { env } = await installedReleases(chart, canaryWith('serviceAccount:\n  create: false\n'))
    const { exitCode, stderr } = await run(`promote --chart ${chart}`, env)
    expect(stderr).toMatch(/stable would get other pods than were judged.*pods: spec\.serviceAccountName/)
    expect(exitCode).toBe(1)
  })

  it('and refuses a chart that was not judged', async ({ expect }) => {
    const [old, chart] = [copyChart(), copyChart()]
    edit(join(old, 'Chart.yaml'), /^version: .*$/m, 'version: 1.2.0')
    const { env } = await installedReleases(chart, { charts: { canary: old } })
    const { stderr } = await run(`promote --chart ${chart}`, env)
    expect(stderr).toContain('devops-api-canary was installed from chart devops-api-1.2.0, and --chart')
    // With that chart, stable moves weights with its own until it is given canary's.
    const { stdout, exitCode } = await run(`promote --dry-run --chart ${old}`, env)
    expect(exitCode).toBe(0)
    const [weights = '', given = ''] = stdout.split('Give stable what canary runs, while canary serves')
    expect(weights).not.toContain('1.2.0"')
    expect(given).toContain('"devops-api-1.1.1" → "devops-api-1.2.0"')
  })

  it('says so where there is nothing to promote', async ({ expect }) => {
    const chart = copyChart()
    edit(join(chart, 'values-canary.yaml'), /env:\n.*\n/, '')
    const { env, revisions } = await installedReleases(chart)
    const { exitCode, stdout } = await run(`promote --steps 50,100 --chart ${chart}`, env)
    expect(stdout).toBe(
      'Nothing to promote: stable runs what canary runs.\nTraffic stays at 90/10: "rollback" gives all of it to stable.',
    )
    expect(exitCode).toBe(0)
    expect(JSON.parse((await run(`promote --chart ${chart} --json`, env)).stdout)).toEqual({
      promoted: false,
      outcome: 'nothing to promote',
      steps: [],
      report: null,
      byCanary: { replies: 0, errors: 0 },
      notes: [],
    })
    expect(revisions()).toHaveLength(1)
  })

  it('and refuses one tag that stands for two images', async ({ expect }) => {
    const chart = copyChart()
    edit(join(chart, 'values-canary.yaml'), /env:\n.*\n/, '')
    const { env } = await installedReleases(chart, { digests: { canary: 'b'.repeat(64) } })
    const { exitCode, stderr, stdout } = await run(`promote --chart ${chart}`, env)
    expect(stderr).toMatch(
      /one tag stands for two images \(devops-api is sha256:a+ in stable, sha256:b+ in canary\).*image\.digest/,
    )
    expect([exitCode, stdout]).toEqual([1, ''])
  })

  it("leaves canary's comments in canary", async ({ expect }) => {
    const chart = copyChart()
    edit(join(chart, 'values-canary.yaml'), 'tag: "1.1.1"', 'tag: "1.2.0" # {"$imagepolicy": "x:y:tag"}')
    const { stdout } = await run(`promote --files-only --dry-run --chart ${chart} --url http://127.0.0.1:1`)
    expect(stdout).toContain('+   tag: "1.2.0"\n')
    expect(stdout).not.toContain('imagepolicy')
  })
})

it.concurrent('One namespace and one context go to both programs', async ({ expect }) => {
  const chart = copyChart()
  const { env, asked } = await installedReleases(chart)
  const where = { HELM_NAMESPACE: 'n', HELM_KUBECONTEXT: 'c' }
  await run(`shift 75/25 --dry-run --chart ${chart}`, { ...env, ...where })
  const lines = asked().trim().split('\n')
  expect(lines.length).toBeGreaterThan(5)
  for (const line of lines)
    expect(line).toMatch(line.startsWith('helm') ? /--namespace n --kube-context c$/ : /^kubectl --namespace n --context c /)
})
