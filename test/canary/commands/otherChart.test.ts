import { describe, it } from 'vitest'
import { copyChartAs, stableFile } from '../commandLine.ts'
import { run } from '../inProcess.ts'
import { installedReleases } from '../installedReleases.ts'
import { parseOutput } from '../parseOutput.ts'

const limits = '--max-p95-increase 30s'

describe.concurrent('A chart of another name, whose Services and Deployments have names of their own', () => {
  it('is seen as it is', async ({ expect }) => {
    const chart = copyChartAs('shop')
    const { cluster, asked } = await installedReleases(chart, { answers: {} })
    const { exitCode, stdout } = await run(`status --chart ${chart} --json ${limits}`, cluster)
    const { cluster: seen, disagreements } = parseOutput('status', stdout)
    expect(disagreements).toEqual([])
    expect(exitCode).toBe(0)
    expect(seen).toMatchObject({
      workloads: { stable: { version: 'v1.1.1' }, canary: { version: 'v1.1.1-canary' } },
      services: { stable: true, canary: true },
      route: { weights: { stable: 90, canary: 10 } },
    })
    expect(asked.filter((call) => call.includes('devops-api-'))).toEqual([])
    const history = parseOutput('history', (await run(`history --chart ${chart} --json`, cluster)).stdout)
    expect(history.revisions.map(({ role, weights, version }) => [role, weights, version])).toEqual([
      ['stable', { stable: 90, canary: 10 }, 'v1.1.1'],
      ['canary', null, 'v1.1.1-canary'],
    ])
  })

  it('is promoted, and taken back', async ({ expect }) => {
    const chart = copyChartAs('shop')
    const { cluster, revisions } = await installedReleases(chart, { answers: {} })
    const promoted = await run(`promote --chart ${chart} ${limits} --timeout 60s --steps 50,100`, cluster)
    expect(promoted).toMatchObject({ exitCode: 0, stderr: '' })
    expect(stableFile(chart)).toContain('stable: 100')
    expect(revisions()[0]?.config).toMatchObject({ env: { DEVOPSAPI_VERSION: 'v1.1.1-canary' } })
    expect((await run(`shift 70/30 --chart ${chart} ${limits} --timeout 60s`, cluster)).exitCode).toBe(0)
    const back = await run(`rollback --chart ${chart} ${limits} --timeout 60s`, cluster)
    expect(back).toMatchObject({ exitCode: 0, stderr: '' })
    expect(revisions()[0]?.config).toMatchObject({ traffic: { stable: 100, canary: 0 } })
  })

  it('has its missing Service called by its name', async ({ expect }) => {
    const chart = copyChartAs('shop')
    const { cluster } = await installedReleases(chart, { canary: ['--set', 'service.enabled=false'] })
    const { stdout } = await run(`status --chart ${chart}`, cluster)
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('the Service http-shop-canary is missing')
  })
})

describe('A chart without a name', () => {
  it('is refused with what it must have', async ({ expect }) => {
    expect(await run('history --chart test')).toEqual({
      exitCode: 64,
      stdout: '',
      stderr: 'canary: cannot read test/Chart.yaml (there is no such file): give the folder of a chart, which has it',
    })
  })
})
