import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { copyChart, stableFile } from '../commandLine.ts'
import { gateway } from '../fakeService.ts'
import { run } from '../inProcess.ts'

const chartWith = (stable: string, canary?: string) => {
  const chart = copyChart()
  writeFileSync(join(chart, 'values-stable.yaml'), stable)
  if (canary !== undefined) writeFileSync(join(chart, 'values-canary.yaml'), canary)
  return chart
}

const isWeight = 'it must be a whole number from 0 to 1000000, without quotes'
const isTraffic = 'it must be the two weights, such as {stable: 90, canary: 10}'
const isNamed = 'it must hold values by their names, such as "role: stable"'

describe('values that cannot be', () => {
  it.each([
    ['role: stable\ntraffic: {stable: ninety}\n', `traffic.stable in FILE is "ninety": ${isWeight}`],
    ['role: stable\ntraffic:\n  stable: "90"\n  canary: 10\n', `traffic.stable in FILE is "90": ${isWeight}`],
    ['role: stable\ntraffic:\n  stable: 90\n  canary: on\n', `traffic.canary in FILE is true: ${isWeight}`],
    ['role: stable\ntraffic: 5\n', `traffic in FILE is 5: ${isTraffic}`],
    ['role: stable\ntraffic: [90, 10]\n', `traffic in FILE is [90,10]: ${isTraffic}`],
    ['- role: stable\n', `FILE holds - role: stable: ${isNamed}`],
    ['hello\n', `FILE holds hello: ${isNamed}`],
  ])('are refused by all commands: %j', async (text, message) => {
    const { url, asked } = await gateway()
    const chart = chartWith(text)
    const line = message.replace('FILE', join(chart, 'values-stable.yaml'))
    const check = await run(`check ${url} --chart ${chart}`)
    expect(check).toEqual({ exitCode: 64, stdout: '', stderr: expect.stringContaining(`announces no split, and ${line}; give`) })
    expect(check.stderr).not.toContain('\n')
    for (const command of [['status'], ['shift', '50/50', '--files-only'], ['rollback', '--files-only'], ['promote']])
      expect(await run([...command, '--chart', chart, '--url', url]), `${command}`).toEqual({
        exitCode: 64,
        stdout: '',
        stderr: `canary: ${line}`,
      })
    // One request finds out whether a split is announced.
    expect(asked).toHaveLength(1)
    expect(stableFile(chart)).toBe(text)
  })
})

describe('edits', () => {
  const move = async (text: string, ...command: string[]) => {
    const chart = chartWith(text)
    return { ...(await run([...command, '--files-only', '--chart', chart])), text: stableFile(chart), chart }
  }

  it('leave merges as they are, and count all the same', async () => {
    const text = 'role: stable\nsplit: &split {stable: 90, canary: 10}\ntraffic: {<<: *split}\n'
    expect(await move(text, 'rollback')).toMatchObject({
      exitCode: 0,
      text: 'role: stable\nsplit: &split {stable: 90, canary: 10}\ntraffic: {<<: *split, stable: 100, canary: 0}\n',
    })
  })

  it.each([
    [
      'role: stable\ntraffic:\n  stable: 90\n  canary: 10\nsops:\n  mac: ENC[x]\n',
      'sops has encrypted it and would notice ("sops edit" does it): set traffic.stable to 100 (line 3), set traffic.canary to 0 (line 4) by hand',
    ],
    [
      'split: &split {stable: 90, canary: 10}\ntraffic:\n  stable: 100\n  canary: 0\n  <<: *split\n',
      'Helm would then read something else from it (anchors, merges, odd indentation?): set traffic.stable to 100 (line 3), set traffic.canary to 0 (line 4) by hand',
    ],
  ])('are not made where they are not safe: %j', async (text, why) => {
    const { chart, ...ended } = await move(text, 'rollback')
    const path = join(chart, 'values-stable.yaml')
    expect(ended).toEqual({
      exitCode: 64,
      stdout: expect.any(String),
      stderr: `canary: ${path} cannot be edited safely, because ${why}`,
      text,
    })
    expect(readdirSync(chart)).toEqual(readdirSync(copyChart()))
  })

  it('are not made in a file that is not in UTF-8', async () => {
    const chart = copyChart()
    const path = join(chart, 'values-stable.yaml')
    const bytes = Buffer.concat([readFileSync(path), Buffer.from('# größer\n', 'latin1')])
    writeFileSync(path, bytes)
    const { exitCode, stderr } = await run(`shift 50/50 --files-only --chart ${chart}`)
    expect([exitCode, stderr]).toEqual([
      64,
      `canary: ${path} is not in UTF-8, which Helm wants: save it as that, line ${bytes.toString('latin1').split('\n').length - 1} first`,
    ])
    expect(readFileSync(path)).toEqual(bytes)
    expect(existsSync(path)).toBe(true)
  })

  it.each(['role: stable\n---\n', '---\nrole: stable\n', 'role: stable\n...\n'])('are made in %j', async (text) => {
    const { exitCode, text: after } = await move(text, 'shift', '50/50')
    expect([exitCode, after]).toEqual([0, text.replace('role: stable\n', 'role: stable\ntraffic:\n  stable: 50\n  canary: 50\n')])
  })

  it.each(['on', 'no', 'y', '1_000', '1_2', '0b11', '010', '1e3'])(
    'of a promotion write the string %j so that it stays one, and none of the comments of canary',
    async (value) => {
      const { url } = await gateway({ stable: 0, canary: 100 })
      const canary = `role: canary\nimage:\n  # {"$imagepolicy": "flux-system:canary"}\n  tag: "${value}"\nenv:\n  FLAG: "${value}" # loud\n`
      const mine = 'role: stable # mine\nimage:\n  # renovate: stable\n  tag: "1.1.1" # old\ntraffic: {stable: 0, canary: 100}\n'
      const chart = chartWith(mine, canary)
      const { stdout, stderr } = await run(`promote --dry-run --files-only --chart ${chart} --url ${url}`)
      expect(stderr).toBe('')
      const added = stdout.split('\n').filter((line) => line.startsWith('+'))
      expect(added).toEqual([
        `+   tag: "${value}" # old`,
        '+ env:',
        `+   FLAG: "${value}"`,
        expect.stringContaining('stable: 100, canary: 0'),
      ])
      expect(stdout).not.toContain('imagepolicy')
    },
  )
})
