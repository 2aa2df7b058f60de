import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { removeDemos, startDemo } from '../../demo/startDemo.ts'
import { copyChart, stableFile } from '../commandLine.ts'
import { run } from '../inProcess.ts'
import { parseOutput } from '../parseOutput.ts'

afterAll(removeDemos)

describe('against the demo', () => {
  it('moves what replies say back, and nothing else in the file', async () => {
    const demo = await startDemo()
    const chart = join(demo.folder, 'chart')
    const before = stableFile(chart)
    const where = `--files-only --chart ${chart} --url ${demo.url}`
    const rollback = await run(`rollback ${where} --json`)
    expect(rollback.exitCode).toBe(0)
    const { seconds, report } = parseOutput('rollback', rollback.stdout)
    expect(seconds).toBeGreaterThan(0)
    expect(report).toMatchObject({ verdict: 'PASS', sample: { requests: 180 } })
    expect(stableFile(chart)).toBe(before.replace('stable: 90', 'stable: 100').replace('canary: 10', 'canary: 0'))
  })
})

describe.concurrent('rollback', () => {
  it('--files-only edits and is done', async ({ expect }) => {
    const chart = copyChart()
    const { exitCode, stdout } = await run(`rollback --files-only --chart ${chart} --json`)
    expect(exitCode).toBe(0)
    expect(parseOutput('rollback', stdout)).toMatchObject({ steps: [{ result: 'written' }], seconds: null, report: null })
    expect(stableFile(chart)).toContain('  stable: 100\n  canary: 0\n')
  })

  it('--dry-run shows the edits, and does nothing', async ({ expect }) => {
    const chart = copyChart()
    const before = stableFile(chart)
    expect((await run(`rollback --files-only --dry-run --chart ${chart}`)).stdout).toContain('+   stable: 100')
    expect(stableFile(chart)).toBe(before)
  })

  it('says so on one line where there is no cluster, and edits nothing', async () => {
    const chart = copyChart()
    const before = stableFile(chart)
    const { exitCode, stdout, stderr } = await run(`rollback --chart ${chart}`)
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^canary: (helm status devops-api-\w+|kubectl get \S+): (?!.*memcache).*$/)
    expect(stableFile(chart)).toBe(before)
  })
})
