import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it, vi } from 'vitest'
import { copyChart, stableFile, temporary } from '../commandLine.ts'
import { fewRequests } from '../fewRequests.ts'
import { run } from '../inProcess.ts'
import { installedReleases } from '../installedReleases.ts'
import { parseOutput } from '../parseOutput.ts'

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
    const { cluster, revisions } = await installedReleases(chart)
    const shift = await run(`shift 100/0 --chart ${chart} --because INC-7 ${fewRequests}`, cluster)
    expect([shift.exitCode, shift.stderr]).toEqual([0, ''])
    const [newest, before] = revisions()
    expect(newest?.info.description).toBe('canary shift: move traffic; weights 100/0; because INC-7')
    expect(newest?.config).toEqual({ ...before?.config, traffic: { stable: 100, canary: 0 } })
  })

  it('says nothing of a canary that is in the route without weight, because its Service is there', async ({ expect }) => {
    const chart = copyChart()
    edit(join(chart, 'values-stable.yaml'), '  stable: 90\n  canary: 10', '  stable: 100\n  canary: 0')
    const { cluster, revisions } = await installedReleases(chart)
    const [first] = revisions()
    const backend = (role: string, weight: number) =>
      ['- group: ""', 'kind: Service', `name: devops-api-${role}`, 'port: 80', `weight: ${weight}`].join('\n          ')
    const stable = backend('stable', 100)
    if (first) first.manifest = first.manifest.replace(stable, `${stable}\n        ${backend('canary', 0)}`)
    expect(first?.manifest).toContain('weight: 0')
    const { exitCode, stdout } = await run(`shift 100/0 --chart ${chart} ${fewRequests}`, cluster)
    expect(stdout).toMatch(/^Move traffic to 100\/0/)
    expect(exitCode).toBe(0)
  })

  it('--dry-run shows all that the upgrade would change', async ({ expect }) => {
    const chart = copyChart()
    const { cluster, revisions } = await installedReleases(chart)
    const { exitCode, stdout } = await run(`shift 75/25 --dry-run --chart ${chart}`, cluster)
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
    const chart = copyChart()
    const { cluster, revisions } = await installedReleases(chart, installed)
    if (tag) edit(join(chart, 'values-stable.yaml'), 'tag: "1.1.1"', tag)
    const before = stableFile(chart)
    for (const command of ['shift 75/25', 'promote --dry-run']) {
      const { exitCode, stderr } = await run(`${command} --chart ${chart}`, cluster)
      expect(stderr).toMatch(message)
      expect(stderr).toMatch(/write what is installed into values-stable\.yaml.*or apply the files first with "helm upgrade /)
      expect(exitCode).toBe(1)
    }
    expect(stableFile(chart)).toBe(before)
    expect(revisions()).toHaveLength(1)
  })

  it('what is to be typed can be typed, whatever the names of files', async ({ expect }) => {
    const chart = join(temporary(), 'my charts', "the 'chart'")
    cpSync(copyChart(), chart, { recursive: true })
    const { cluster } = await installedReleases(chart)
    const shift = ['shift', '75/25', '--dry-run', '--chart', chart, '--kube-context', 'c']
    const { stdout } = await run(shift, cluster)
    const typed = stdout.split('\n').find((line) => line.startsWith('helm upgrade')) ?? ''
    const words = await execa('sh', ['-c', `printf '%s\n' ${typed}`])
    expect(words.stdout.split('\n')).toEqual([
      ...['helm', 'upgrade', 'devops-api-stable', chart, '--values', join(chart, 'values-stable.yaml')],
      ...['--wait', '--kube-context', 'c'],
    ])
  })

  it('a file that is named counts, whatever it sets', async ({ expect }) => {
    const chart = copyChart()
    const file = overlay('image:\n  repository: registry/x\n')
    const { cluster, revisions } = await installedReleases(chart, { stable: ['--values', file], canary: ['--values', file] })
    expect(await run(`shift 100/0 --chart ${chart} --values ${file} ${fewRequests}`, cluster)).toMatchObject({
      exitCode: 0,
      stderr: '',
    })
    expect(revisions()[0]?.config).toMatchObject({ image: { repository: 'registry/x' } })
  })

  it('another chart refuses the step', async ({ expect }) => {
    const [old, chart] = [copyChart(), copyChart()]
    edit(join(chart, 'Chart.yaml'), /^version: .*$/m, 'version: 1.2.0')
    const { cluster } = await installedReleases(chart, { charts: { stable: old } })
    const { exitCode, stderr } = await run(`shift 75/25 --chart ${chart}`, cluster)
    expect(stderr).toContain('"devops-api-1.1.1" → "devops-api-1.2.0"')
    expect(exitCode).toBe(1)
  })

  it('what a chart draws at random does not count, and is named', async ({ expect }) => {
    const chart = copyChart()
    const random = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: random}\ndata: {a: "{{ randAlphaNum 8 }}"}\n'
    writeFileSync(join(chart, 'templates/random.yaml'), random)
    const { cluster } = await installedReleases(chart)
    const { exitCode, stdout } = await run(`shift 100/0 --chart ${chart} ${fewRequests}`, cluster)
    expect(stdout).toContain('The chart renders this anew each time: ConfigMap random: data.a "')
    expect(exitCode).toBe(0)
  })

  it('a share too small to be judged is known before the edit', async ({ expect }) => {
    const chart = copyChart()
    const before = stableFile(chart)
    const { cluster } = await installedReleases(chart)
    const { exitCode, stderr } = await run(`shift 999/1 --chart ${chart}`, cluster)
    expect(stderr).toMatch(
      /^canary: to judge 999\/1 takes [\d,]+ requests, and more in case of doubt: say how many at most with --requests, or choose a larger share$/,
    )
    expect(exitCode).toBe(64)
    expect((await run(`shift 999/1 --requests 1000 --dry-run --chart ${chart}`, cluster)).exitCode).toBe(0)
    const steeper = await run(`shift 999999/1 --chart ${chart}`, cluster)
    expect(steeper.stderr).toMatch(
      /^canary: to judge 999999\/1 takes (more than )?[\d,]+ requests, and --requests may be 1,000,000 at most: choose a larger share$/,
    )
    expect(steeper.exitCode).toBe(64)
    expect(stableFile(chart)).toBe(before)
  })
})

describe.concurrent('A route that somebody patched by hand', () => {
  it.each([
    [3, 'rollback', '100/0'],
    [3, 'shift 100/0', '100/0'],
    [3, 'shift 999999/1 --requests 100', '999999/1'],
    [4, 'rollback', '100/0'],
    [4, 'shift 90/10', '90/10'],
  ] as const)('is put back with Helm %i by %s', async (helm, command, weights) => {
    const chart = copyChart()
    const { cluster, revisions } = await installedReleases(chart, { patched: { helm, stable: 0, canary: 100 } })
    // The fake replies follow no weights, and who waits for them waits in vain.
    await run(`${command} --chart ${chart} --patience 1s ${fewRequests}`, cluster)
    const status = await run(`status --chart ${chart}`, cluster)
    expect(status.stdout).toContain(`live       ${weights}, Accepted and ResolvedRefs`)
    expect(status.stdout).not.toContain('by hand')
    const [stable, canary] = weights.split('/').map(Number)
    expect(revisions()[0]?.config).toMatchObject({ traffic: { stable, canary } })
  })
})

it('A route of which two people have patched several fields is put back', async () => {
  const conflicts = `3 conflicts: conflicts with "kubectl-patch" using gateway.networking.k8s.io/v1:
- .spec.hostnames
- .spec.rules
conflicts with "somebody" using gateway.networking.k8s.io/v1:
- .spec.parentRefs`
  const chart = copyChart()
  const { cluster, revisions } = await installedReleases(chart, { patched: { helm: 4, stable: 50, canary: 50, conflicts } })
  const { stdout } = await run(`rollback --chart ${chart} ${fewRequests}`, cluster)
  expect(stdout).toContain('overwriting what kubectl-patch and somebody changed by hand')
  expect(revisions()[0]?.config).toMatchObject({ traffic: { stable: 100, canary: 0 } })
})

describe.concurrent('promote and a route that somebody patched by hand', () => {
  it.each([3, 4] as const)('refuses to overwrite it, with Helm %i, before anything is done', async (helm) => {
    const chart = copyChart()
    const before = stableFile(chart)
    const { cluster, revisions } = await installedReleases(chart, { patched: { helm, stable: 50, canary: 50 } })
    const { exitCode, stderr } = await run(`promote --chart ${chart} --timeout 100ms`, cluster)
    expect(stderr).toBe(
      'canary: kubectl-patch changed the live route by hand (rules): "shift 90/10" brings back what is installed, or says how; then start again',
    )
    expect(exitCode).toBe(1)
    expect(stableFile(chart)).toBe(before)
    expect(revisions()).toHaveLength(1)
  })
})

describe.concurrent('Pods', () => {
  it('of the release that gets more are waited for, and the shortage said, before anything is done', async () => {
    const chart = copyChart()
    const before = stableFile(chart)
    const values = join(chart, 'examples/production.yaml')
    const autoscaling = ['--values', values]
    const { cluster, revisions } = await installedReleases(chart, {
      stable: autoscaling,
      canary: autoscaling,
      replicas: { 'devops-api-stable': 8, 'devops-api-canary': 3 },
      utilization: { 'devops-api-stable': 70, 'devops-api-canary': 20 },
    })
    const short =
      'devops-api-canary has 3 ready pods, and 50 % of the present load needs 5: set its autoscaling.minReplicas to 5, and helm upgrade it'
    const shift = await run(`shift 50/50 --patience 1s --chart ${chart} --values ${values}`, cluster)
    expect(shift.stderr).toBe(`canary: ${short}`)
    expect(shift.stdout).toContain(`  waiting for pods: ${short}`)
    expect(shift.exitCode).toBe(1)
    expect(stableFile(chart)).toBe(before)
    expect(revisions()).toHaveLength(1)
    const rollback = await run(`rollback --patience 1s --chart ${chart} --values ${values}`, cluster)
    expect(rollback.stdout).not.toContain('pods')
    expect(revisions()[0]?.config).toMatchObject({ traffic: { stable: 100, canary: 0 } })
  })

  it('that somebody adds to stable during a promotion are not taken back', async () => {
    const chart = copyChart()
    const replicas: Record<string, number> = {}
    const { cluster, revisions } = await installedReleases(chart, { replicas, answers: {} })
    const scaling: typeof cluster = async (name, args, signal) => {
      const ended = await cluster(name, args, signal)
      if (revisions()[0]?.info.description.includes('give canary 100')) replicas['devops-api-stable'] = 6
      return ended
    }
    const { exitCode, stderr } = await run(`promote --chart ${chart} --steps 100 ${fewRequests}`, scaling)
    expect(stderr).toContain('spec.replicas 6 → 2, scaled by kubectl or an autoscaler')
    expect(exitCode).toBe(1)
    expect(revisions()[0]?.config).toMatchObject({ traffic: { stable: 0, canary: 100 }, image: { tag: '1.1.1' } })
    expect(revisions()[0]?.info.description).toContain('give canary 100')
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
    const chart = copyChart()
    const { cluster, revisions } = await installedReleases(chart, installed)
    if (tag) edit(join(chart, 'values-stable.yaml'), 'tag: "1.1.1"', tag)
    const { stdout, stderr } = await run(`rollback --chart ${chart} ${fewRequests}`, cluster)
    expect(stderr).toBe('')
    expect(stdout).toMatch(message)
    const [newest, before] = revisions()
    expect(newest?.config).toEqual({ ...before?.config, traffic: back })
    expect(newest?.info.description).toBe('canary rollback: take traffic back; weights 100/0')
  })

  it.each<[string, (chart: string) => void]>([
    ['is not there', (chart) => rmSync(join(chart, 'values-stable.yaml'))],
    ['says nonsense', (chart) => writeFileSync(join(chart, 'values-stable.yaml'), 'traffic: {stable: ninety}\n')],
    ['is gone with its chart', (chart) => rmSync(chart, { recursive: true })],
  ])('and asks whether replies follow where the file %s', async (_, spoil) => {
    const { expect } = await import('vitest')
    const chart = copyChart()
    const { cluster, revisions } = await installedReleases(chart, { answers: {} })
    spoil(chart)
    const { exitCode, stdout } = await run(`rollback --chart ${chart} ${fewRequests}`, cluster)
    expect(stdout).toMatch(
      /Traffic has moved, but values-stable\.yaml does not say so yet: .*\nWhether the files say more than is installed could not be seen: /,
    )
    expect(stdout).toContain('PASS split')
    expect(exitCode).toBe(0)
    expect(revisions()[0]?.config).toMatchObject({ traffic: back })
  })

  it('says what it left where nobody can be asked, too', async ({ expect }) => {
    const chart = copyChart()
    const { cluster } = await installedReleases(chart, { gateway: null })
    edit(join(chart, 'values-stable.yaml'), 'tag: "1.1.1"', 'tag: "9.9.9"')
    const { exitCode, stdout } = await run(`rollback --chart ${chart} ${fewRequests}`, cluster)
    expect(stdout).toMatch(/The files say more, which is not installed: .*"devops-api:9\.9\.9".*\nNobody was asked: /)
    expect(exitCode).toBe(2)
  })

  it('leaves as many pods as there are', async ({ expect }) => {
    const chart = copyChart()
    const { cluster, revisions } = await installedReleases(chart, { replicas: { 'devops-api-stable': 5 } })
    expect((await run(`rollback --chart ${chart} ${fewRequests}`, cluster)).exitCode).toBe(0)
    expect(revisions()[0]?.config).toMatchObject({ replicas: 5, traffic: back })
  })

  it('leaves the chart that is installed', async ({ expect }) => {
    const [old, chart] = [copyChart(), copyChart()]
    edit(join(chart, 'Chart.yaml'), /^version: .*$/m, 'version: 1.2.0')
    const { cluster, revisions } = await installedReleases(chart, { charts: { stable: old } })
    await run(`rollback --chart ${chart} ${fewRequests}`, cluster)
    const [newest, before] = revisions()
    expect(
      newest?.manifest.replace(/ +- group: ""\n.*\n +name: devops-api-canary\n.*\n.*\n/, '').replace('weight: 100', 'weight: 90'),
    ).toBe(before?.manifest.replace(/ +- group: ""\n.*\n +name: devops-api-canary\n.*\n.*\n/, ''))
  })

  it('--dry-run shows what it would do', async ({ expect }) => {
    const chart = copyChart()
    const { cluster, revisions } = await installedReleases(chart)
    const { exitCode, stdout } = await run(`rollback --dry-run --chart ${chart}`, cluster)
    expect(stdout).toContain('+   stable: 100')
    expect(stdout).toContain('backendRefs[devops-api-stable].weight 90 → 100')
    expect(exitCode).toBe(0)
    expect(revisions()).toHaveLength(1)
  })
})

describe.concurrent('what may not be read', () => {
  it.each([
    [
      'releases',
      /^canary: helm status devops-api-stable: forbidden: user "jane" needs the right to list secrets in the namespace "n"$/,
    ],
    [
      'deployments',
      /^canary: kubectl get deployments,services: forbidden: user "jane" needs the right to list deployments,services .*$/,
    ],
    [
      'httproutes',
      /^canary: kubectl get httproutes\S+: forbidden: user "jane" needs the right to list httproutes\.gateway\.\S+ .*$/,
    ],
  ])('%s: is named on one line, and nothing is moved', async (kind, line) => {
    const { expect } = await import('vitest')
    const chart = copyChart()
    const before = stableFile(chart)
    const { cluster, revisions } = await installedReleases(chart, { unreadable: [kind] })
    for (const command of ['shift 75/25', 'promote']) {
      const { exitCode, stdout, stderr } = await run(`${command} --chart ${chart}`, cluster)
      expect([exitCode, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(line)
    }
    const status = await run(`status --chart ${chart} --json`, cluster)
    expect([status.exitCode, status.stderr]).toEqual([1, ''])
    const { disagreements, unknown } = parseOutput('status', status.stdout)
    expect(`canary: ${unknown.cluster}`).toMatch(line)
    expect(disagreements).toEqual([`the cluster cannot be read: ${unknown.cluster}`])
    expect(stableFile(chart)).toBe(before)
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
    const chart = copyChart()
    edit(join(chart, 'values-canary.yaml'), /env:\n.*\n/, '')
    const { cluster } = await installedReleases(chart, canaryWith(text))
    const { exitCode, stdout, stderr } = await run(`promote --steps 50,100 --dry-run --chart ${chart}`, cluster)
    expect([exitCode, stderr]).toEqual([0, ''])
    const [, given = ''] = /Give stable what canary runs, while canary serves\n([\s\S]*)Give stable all/.exec(stdout) ?? []
    expect(given).toMatch(line)
  })

  it('and refuses where stable would get something else', async ({ expect }) => {
    const chart = copyChart()
    const { cluster } = await installedReleases(chart, canaryWith('serviceAccount:\n  create: false\n'))
    const { exitCode, stderr } = await run(`promote --chart ${chart}`, cluster)
    expect(stderr).toMatch(/stable would get other pods than were judged.*pods: spec\.serviceAccountName/)
    expect(exitCode).toBe(1)
  })

  it('and refuses a chart that was not judged', async ({ expect }) => {
    const [old, chart] = [copyChart(), copyChart()]
    edit(join(old, 'Chart.yaml'), /^version: .*$/m, 'version: 1.2.0')
    const { cluster } = await installedReleases(chart, { charts: { canary: old } })
    const { stderr } = await run(`promote --chart ${chart}`, cluster)
    expect(stderr).toContain('devops-api-canary was installed from chart devops-api-1.2.0, and --chart')
    // With that chart, stable moves weights with its own until it is given canary's.
    const { stdout, exitCode } = await run(`promote --dry-run --chart ${old}`, cluster)
    expect(exitCode).toBe(0)
    const [weights = '', given = ''] = stdout.split('Give stable what canary runs, while canary serves')
    expect(weights).not.toContain('1.2.0"')
    expect(weights).toContain("helm upgrade devops-api-stable 'CHART OF THE INSTALLED REVISION' --values")
    expect(given).toContain('"devops-api-1.1.1" → "devops-api-1.2.0"')
  })

  it('says so where there is nothing to promote', async ({ expect }) => {
    const chart = copyChart()
    edit(join(chart, 'values-canary.yaml'), /env:\n.*\n/, '')
    const { cluster, revisions } = await installedReleases(chart)
    const { exitCode, stdout } = await run(`promote --steps 50,100 --chart ${chart}`, cluster)
    expect(stdout).toBe(
      'Nothing to promote: stable runs what canary runs.\nTraffic stays at 90/10: "rollback" gives all of it to stable.',
    )
    expect(exitCode).toBe(0)
    expect(JSON.parse((await run(`promote --chart ${chart} --json`, cluster)).stdout)).toEqual({
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
    const { cluster } = await installedReleases(chart, { digests: { canary: 'b'.repeat(64) } })
    const { exitCode, stderr, stdout } = await run(`promote --chart ${chart}`, cluster)
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

it('One namespace and one context go to both programs', async () => {
  const chart = copyChart()
  const { cluster, asked } = await installedReleases(chart)
  vi.stubEnv('HELM_NAMESPACE', 'n')
  vi.stubEnv('HELM_KUBECONTEXT', 'c')
  await run(`shift 75/25 --dry-run --chart ${chart}`, cluster)
  vi.unstubAllEnvs()
  expect(asked.length).toBeGreaterThan(5)
  for (const line of asked)
    expect(line).toMatch(line.startsWith('helm') ? /--namespace n --kube-context c$/ : /^kubectl --namespace n --context c /)
})
