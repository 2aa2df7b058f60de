import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { removeDemos, startDemo } from '../../demo/startDemo.ts'
import { copyChart, stableFile, start } from '../commandLine.ts'
import { gateway } from '../fakeService.ts'
import { run } from '../inProcess.ts'
import { parseOutput } from '../parseOutput.ts'

afterAll(removeDemos)

describe('against the demo', () => {
  it('moves what replies say, and nothing else in the file', async () => {
    const demo = await startDemo()
    const chart = join(demo.folder, 'chart')
    const before = stableFile(chart)
    const where = `--files-only --chart ${chart} --url ${demo.url}`

    const shift = await run(`shift 75/25 ${where}`)
    expect(shift).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: expect.stringMatching(/^Move traffic to 75\/25\n {2}written\nWait until replies follow\n {2}after \d+\.\d s\n/),
    })
    expect(shift.stdout).toMatch(/v1\.1\.1-canary answered \d+ of [\d,]+ requests/)
    expect(stableFile(chart)).toBe(before.replace('stable: 90', 'stable: 75').replace('canary: 10', 'canary: 25'))
  })
})

describe.concurrent('shift', () => {
  it('--files-only edits and is done', async ({ expect }) => {
    const chart = copyChart()
    expect(await run(`shift 60/40 --files-only --chart ${chart}`)).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: 'Move traffic to 60/40\n  written',
    })
    expect(await run(`shift 60/40 --files-only --chart ${chart}`)).toMatchObject({
      stdout: 'Move traffic to 60/40\n  was written before',
    })
    expect(stableFile(chart)).toContain('  stable: 60\n  canary: 40\n')
    const { steps, report } = parseOutput('shift', (await run(`shift 60/40 --files-only --chart ${chart} --json`)).stdout)
    expect(steps).toEqual([{ step: 'Move traffic to 60/40', result: 'was written before', seconds: expect.any(Number) }])
    expect(report).toBeNull()
    const { url } = await gateway()
    const asked = await run(`shift 90/10 --files-only --chart ${chart} --url ${url} --max-p95-increase 60s --json`)
    expect(parseOutput('shift', asked.stdout).report?.verdict).toBe('PASS')
  })

  it('--dry-run shows the edits, and does nothing', async ({ expect }) => {
    const chart = copyChart()
    const before = stableFile(chart)
    const path = join(chart, 'values-stable.yaml')
    const shift = await run(`shift 60/40 --files-only --dry-run --chart ${chart}`)
    const lines = [
      '  role: stable',
      '  traffic:',
      '-   stable: 90',
      '-   canary: 10',
      '+   stable: 60',
      '+   canary: 40',
      '  image:',
      '    tag: "1.1.1"',
    ]
    expect(shift).toEqual({ exitCode: 0, stderr: '', stdout: [path, ...lines].join('\n') })
    expect(stableFile(chart)).toBe(before)
  })

  it('Ctrl-C says where things stand, and how to go on or back', async ({ expect }) => {
    const { url, asked } = await gateway()
    const chart = copyChart()
    const child = start(`shift 50/50 --files-only --chart ${chart} --url ${url}`)
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(20), { timeout: 120_000, interval: 5 })
    child.kill('SIGINT')
    const { exitCode, stderr } = await child
    expect(exitCode).toBe(130)
    expect(stderr).toBe(
      'canary: interrupted: values-stable.yaml says 50/50; the same command again goes on from there, "rollback" goes back to 100/0',
    )
  })

  it('what does not follow fails', async ({ expect }) => {
    const { url } = await gateway()
    const { exitCode, stdout } = await run(`shift 50/50 --files-only --chart ${copyChart()} --url ${url} --patience 1s`)
    expect(stdout).toContain('Wait until replies follow\n  not within 1 s\n')
    expect(stdout).toContain('FAIL split')
    expect(exitCode).toBe(1)
  })

  it('says so on one line where there is no cluster, and edits nothing', async () => {
    const chart = copyChart()
    const before = stableFile(chart)
    const { exitCode, stdout, stderr } = await start(`shift 50/50 --chart ${chart}`)
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^canary: (helm status devops-api-\w+|kubectl get \S+): (?!.*memcache).*$/)
    expect(stableFile(chart)).toBe(before)
  })

  const badly = copyChart()
  writeFileSync(join(badly, 'values-stable.yaml'), 'traffic:\n  stable: "90"\n  canary: 10\n')
  it.each([
    [
      'shift 75',
      "command-argument value '75' is invalid for argument 'STABLE/CANARY'. It must be two whole numbers from 0 to 1000000, not both 0, such as 75/25.",
    ],
    [
      'shift 0/0',
      "command-argument value '0/0' is invalid for argument 'STABLE/CANARY'. It must be two whole numbers from 0 to 1000000, not both 0, such as 75/25.",
    ],
    [
      'shift 1000001/0',
      "command-argument value '1000001/0' is invalid for argument 'STABLE/CANARY'. It must be two whole numbers from 0 to 1000000, not both 0, such as 75/25.",
    ],
    [
      'shift 75/25 --url x',
      "option '--url <URL>' argument 'x' is invalid. It must be a URL such as http://127.0.0.1:8000, which is asked for /version, or one with a path.",
    ],
    [
      'shift 75/25 --files-only --chart nowhere',
      "cannot read nowhere/values-stable.yaml (there is no such file): --chart must name the chart's folder, --values files",
    ],
    [
      'shift 75/25 --files-only --values nothing',
      "cannot read nothing (there is no such file): --chart must name the chart's folder, --values files",
    ],
    [
      `shift 75/25 --files-only --chart ${badly}`,
      `traffic.stable in ${badly}/values-stable.yaml is "90": it must be a whole number from 0 to 1000000, without quotes`,
    ],
  ])('%s is wrong use', async (line, message) => {
    expect(await run(line)).toEqual({ exitCode: 64, stdout: expect.any(String), stderr: `canary: ${message}` })
  })
})
