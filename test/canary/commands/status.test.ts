import { describe, it } from 'vitest'
import { copyChart } from '../commandLine.ts'
import { fakeCluster, route } from '../fakeCluster.ts'
import { run } from '../inProcess.ts'
import { parseOutput } from '../parseOutput.ts'

describe.concurrent('status', () => {
  it('says what it can', async ({ expect }) => {
    const { exitCode, stdout } = await run(`status --chart ${copyChart()}`)
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/^declared {3}90\/10, stable 1\.1\.1\n/)
    expect(stdout).toContain('✗ the cluster cannot be read: ')
    const nothing = await run('status --chart nowhere --json')
    expect(nothing.exitCode).toBe(1)
    const { disagreements, ...rest } = parseOutput('status', nothing.stdout)
    const missing = (role: string) => expect.stringContaining(`cannot read nowhere/values-${role}.yaml (there is no such file)`)
    expect(disagreements).toEqual([missing('stable'), missing('canary'), expect.stringContaining('the cluster cannot be read: ')])
    expect(rest).toEqual({
      annotations: {},
      declared: { stable: null, canary: null },
      cluster: null,
      observed: null,
      unknown: {
        declared: { stable: missing('stable'), canary: missing('canary') },
        cluster: expect.stringContaining('cannot read nowhere/Chart.yaml (there is no such file)'),
        observed: 'nobody was asked, because nobody knows what to expect',
      },
    })
  })

  it('asks the Gateway at its address, and agrees', async ({ expect }) => {
    const { cluster, asked } = await fakeCluster()
    const { exitCode, stdout } = await run(`status --chart ${copyChart()} --namespace n --kube-context c`, cluster)
    expect(stdout).toMatch(/^declared {3}90\/10, stable 1\.1\.1\n {11}canary 1\.1\.1, says v1\.1\.1-canary\n/)
    expect(stdout).toContain('installed  stable revision 1, deployed: v1.1.1 (devops-api:1.1.1), 2 of 2 pods ready\n')
    expect(stdout).toContain('live       90/10, Accepted and ResolvedRefs\nobserved   v1.1.1 stable 90 %, v1.1.1-canary 10 %\n')
    expect(stdout).toContain('All of it agrees.')
    expect(exitCode).toBe(0)
    expect(asked).toContain('helm status devops-api-canary --output json --namespace n --kube-context c')
    expect(asked).toContain('kubectl --namespace n --context c get deployments,services --output json --show-managed-fields')
  })

  it('shows restarts, and why, of the pods that stay', async ({ expect }) => {
    const container = (restartCount: number, lastState = {}, state = {}) => ({
      name: 'c',
      imageID: '',
      restartCount,
      lastState,
      state,
    })
    const pod = (status: object, metadata = {}) => ({ metadata, status: { containerStatuses: [status] } })
    const { cluster } = await fakeCluster({
      pods: [
        pod(container(2, { terminated: { reason: 'OOMKilled', exitCode: 137 } })),
        pod(container(3, { terminated: { reason: 'Error', exitCode: 1 } }, { waiting: { reason: 'CrashLoopBackOff' } })),
        pod(container(0, {}, { waiting: { reason: 'ContainerCreating' } })),
        pod(container(7, { terminated: { reason: 'Gone', exitCode: 1 } }), { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      ],
    })
    const line = `status --chart ${copyChart()} --namespace n`
    const { stdout } = await run(line, cluster)
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      '2 of 2 pods ready, 5 restarts (OOMKilled, exit code 1, CrashLoopBackOff) canary revision 1',
    )
    const { workloads } = parseOutput('status', (await run(`${line} --json`, cluster)).stdout).cluster ?? {}
    expect(workloads?.canary?.restarts).toEqual({ count: 5, reasons: ['OOMKilled', 'exit code 1', 'CrashLoopBackOff'] })
  })

  it.for(['status', 'check'])('names what may hide errors, by %s', async (command, { expect }) => {
    const rules = [{ ...route.spec.rules[0], retry: { attempts: 3 } }]
    const { cluster } = await fakeCluster({ route: { ...route, spec: { ...route.spec, rules } } })
    const { exitCode, stdout } = await run(`${command} --chart ${copyChart()}`, cluster)
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      "may hide errors: the route's rule tries failed requests again (retry), so an error that another try mends is not seen",
    )
    expect(exitCode).toBe(0)
  })

  it('prints the same keys whatever is there', async ({ expect }) => {
    const line = `status --chart ${copyChart()} --json`
    const full = parseOutput('status', (await run(line, (await fakeCluster()).cluster)).stdout)
    expect(full).toMatchObject({
      declared: { stable: { traffic: { stable: 90 } }, canary: { role: 'canary' } },
      cluster: {
        releases: { stable: { revision: 1, at: '2026-01-01T00:00:00.000Z' }, canary: { status: 'deployed' } },
        workloads: { canary: { version: 'v1.1.1-canary', wanted: 2 } },
        services: { stable: true, canary: true },
        route: { weights: { stable: 90, canary: 10 }, problems: [], otherWriters: [], changed: [], mayHide: [] },
        addresses: [{ host: 'a.internal' }],
        owner: null,
      },
      observed: { verdict: 'PASS', expectationFrom: 'the caller' },
      unknown: { declared: { stable: null, canary: null }, cluster: null, observed: null },
      disagreements: [],
    })
    const bare = { ...route, spec: { ...route.spec, parentRefs: [] } }
    const owned = { metadata: { name: 'devops-api-stable', labels: { 'argocd.argoproj.io/instance': 'x' } } }
    const { cluster } = await fakeCluster({ route: bare, workloads: [{ kind: 'Service', ...owned }], canary: undefined })
    const less = parseOutput('status', (await run(line, cluster)).stdout)
    expect(less.cluster).toMatchObject({
      releases: { canary: null },
      workloads: { stable: null, canary: null },
      services: { stable: true, canary: false },
      addresses: [],
      owner: { name: 'Argo CD' },
    })
    expect(less.observed).toBeNull()
    expect(less.unknown.observed).toContain('nobody knows where to ask')
    const keys = (object: object | null) => Object.keys(object ?? {})
    expect(keys(less)).toEqual(keys(full))
    expect(keys(less.cluster)).toEqual(keys(full.cluster))
  })
})
