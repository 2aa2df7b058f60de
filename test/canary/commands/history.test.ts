import { describe, expect, it } from 'vitest'
import { copyChart } from '../commandLine.ts'
import { fakeCluster } from '../fakeCluster.ts'
import { run } from '../inProcess.ts'
import { installedReleases } from '../installedReleases.ts'
import { parseOutput } from '../parseOutput.ts'

describe('history', () => {
  it('tells what was done to both releases, the weights, the version, the verdict and why', async () => {
    const chart = copyChart('90/10')
    const { cluster } = await installedReleases(chart)
    const shift = await run(`shift 100/0 --because INC-7 --chart ${chart}`, cluster)
    expect(shift.exitCode).toBe(0)
    const { exitCode, stdout } = await run('history', cluster)
    expect(exitCode).toBe(0)
    expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      'when               release   weights  version        what',
      '2026-01-01 00:00Z  stable 1  90/10    v1.1.1         Upgrade complete',
      '2026-01-01 00:00Z  stable 2  100/0    v1.1.1         shift: move traffic; because INC-7',
      '2026-01-01 00:00Z  canary 1  –        v1.1.1-canary  Upgrade complete',
    ])
    const { revisions } = parseOutput('history', (await run('history --json', cluster)).stdout)
    expect(revisions[1]).toEqual({
      at: '2026-01-01T00:00:00.000Z',
      role: 'stable',
      revision: 2,
      status: 'deployed',
      weights: { stable: 100, canary: 0 },
      version: 'v1.1.1',
      chart: 'devops-api-1.1.1',
      command: 'shift',
      step: 'move traffic',
      judged: null,
      because: 'INC-7',
    })
    expect(revisions[0]).toMatchObject({ command: null, step: 'Upgrade complete', because: null, status: 'superseded' })
  })

  it('says so where nothing is installed, and what Helm says where it cannot be read', async () => {
    const { cluster } = await fakeCluster({ canary: undefined })
    expect(await run('history --json', cluster)).toEqual({ exitCode: 0, stdout: '{"revisions":[]}', stderr: '' })
    expect((await run('history', cluster)).stdout).toBe('Neither devops-api-stable nor devops-api-canary is installed.')
    const stderr =
      'canary: helm history devops-api-stable: Kubernetes cluster unreachable; is the cluster up, and do KUBECONFIG and --kube-context say which?'
    expect(await run('history')).toEqual({ exitCode: 1, stdout: '', stderr })
  })
})
