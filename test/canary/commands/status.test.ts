import { describe, it } from 'vitest'
import { copyChart, run } from '../commandLine.ts'
import { fakeCluster } from '../fakeCluster.ts'

describe.concurrent('status', () => {
  it('says what it can', async ({ expect }) => {
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

  it('asks the Gateway at its address, and agrees', async ({ expect }) => {
    const { env, asked } = await fakeCluster()
    const { exitCode, stdout } = await run(`status --chart ${copyChart()} --namespace n --kube-context c`, env)
    expect(stdout).toMatch(/^declared {3}90\/10, stable 1\.1\.1\n {11}canary 1\.1\.1, says v1\.1\.1-canary\n/)
    expect(stdout).toContain('installed  stable revision 1, deployed: v1.1.1 (devops-api:1.1.1), 2 of 2 pods ready\n')
    expect(stdout).toContain('live       90/10, Accepted and ResolvedRefs\nobserved   v1.1.1 stable 90 %, v1.1.1-canary 10 %\n')
    expect(stdout).toContain('All of it agrees.')
    expect(exitCode).toBe(0)
    expect(asked()).toContain('helm status devops-api-canary --output json --namespace n --kube-context c\n')
    expect(asked()).toContain('kubectl --namespace n --context c get deployments,services --output json --show-managed-fields\n')
  })
})
