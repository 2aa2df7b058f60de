import { describe, it } from 'vitest'
import { deployment, fakeCluster, route, service } from '../fakeCluster.ts'
import { run } from '../inProcess.ts'
import { parseOutput } from '../parseOutput.ts'

const check = 'check --max-p95-increase 30s --timeout 60s'

describe.concurrent('without a URL', () => {
  it('check asks the Gateway at its address, by the name of the route, for the weights of the route', async ({ expect }) => {
    const { cluster, asked } = await fakeCluster()
    const { exitCode, stdout } = await run(`${check} --json --namespace n --kube-context c`, cluster)
    const { expectation, verdict } = parseOutput('check', stdout)
    expect(expectation).toEqual([
      { role: 'stable', version: 'v1.1.1', share: 0.9 },
      { role: 'canary', version: 'v1.1.1-canary', share: 0.1 },
    ])
    expect([verdict, exitCode]).toEqual(['PASS', 0])
    expect(asked).toContain('helm status devops-api-canary --output json --namespace n --kube-context c')
  })

  it('check takes what it is told to expect, and a host name', async ({ expect }) => {
    const { cluster } = await fakeCluster()
    const { exitCode, stdout } = await run(`${check} --expect 10/90 --host b.internal`, cluster)
    expect(stdout).toMatch(/^expected: stable 10 %, canary 90 %$/m)
    expect(exitCode).toBe(1)
  })

  it('watch asks there, too', async ({ expect }) => {
    const { cluster } = await fakeCluster()
    const { exitCode, stdout } = await run('watch --for 1s', cluster)
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/version: /m)
    expect(exitCode).toBe(0)
  })

  it.each([
    [
      'where there is no cluster',
      undefined,
      /^canary: without a URL, the cluster says where the gateway listens, but .*cluster unreachable.*; give one$/,
    ],
    [
      'where there is no route',
      { route: { ...route, metadata: { ...route.metadata, name: 'other' } } },
      /^canary: nobody knows where to ask, because there is no HTTPRoute devops-api-stable that names a Gateway: give a URL, and --host$/,
    ],
    [
      'where the route sends requests nowhere',
      {
        route: { ...route, spec: { ...route.spec, rules: [] } },
        workloads: [deployment('stable', 'v1.1.1'), service('stable')],
      },
      /^canary: without a URL, the cluster says where the gateway listens, but its route sends requests nowhere; give one$/,
    ],
  ])('%s, that is wrong use and never a verdict', async (_, change, message) => {
    const { expect } = await import('vitest')
    for (const command of ['check', 'watch --for 1s']) {
      const { exitCode, stdout, stderr } = await run(command, change && (await fakeCluster(change)).cluster)
      expect(stderr).toMatch(message)
      expect([exitCode, stdout]).toEqual([64, ''])
    }
  })
})
