import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, expect, it } from 'vitest'
import { lessons } from '../../src/tour/lessons.ts'

const root = join(import.meta.dirname, '../..')
const cwd = mkdtempSync(join(tmpdir(), 'devops-api-tour-'))
afterAll(() => rmSync(cwd, { recursive: true }))

it('does every lesson by itself, and finds each done', async () => {
  const chart = join(cwd, 'tour/chart')
  cpSync(join(root, 'chart'), chart, { recursive: true })
  const values = readFileSync(join(chart, 'values.yaml'), 'utf8')
  // One pod for each release is enough, and none is called unready, or restarted, because the machine is busy.
  const changed = values.replace('replicas: 2', 'replicas: 1').replaceAll(/timeoutSeconds: \d+/g, 'timeoutSeconds: 60')
  writeFileSync(join(chart, 'values.yaml'), changed)
  const env = { PATH: process.env.PATH, PORT: '0', NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/devops-api') }
  const { stdout, stderr, exitCode } = await execa(process.execPath, [join(root, 'src/tour/tour.ts'), '--auto'], {
    cwd,
    env,
    extendEnv: false,
    reject: false,
  })
  expect(stderr).toBe('')
  for (const [index, { title }] of lessons.entries()) {
    expect(stdout).toContain(` Lesson ${index + 1} of ${lessons.length}: ${title} `)
    expect(stdout).toContain(`Done: lesson ${index + 1}.`)
  }
  expect(exitCode).toBe(0)
  // What no load of the machine can change.
  expect(stdout).toMatch(/--requests 20\n.*?INCONCLUSIVE\nexit code 2\n/s)
  expect(stdout).toContain('2 × 500 without a version')
  expect(stdout).toContain('2 × 503 without a version')
  expect(stdout).toMatch(/ended with exit code 1, restarts /)
  expect(stdout).toMatch(/OOMKilled, as it took more memory than its limit, restarts /)
  const recording = stdout.replaceAll(/localhost:\d+/g, 'localhost:8000')
  if (process.env.PICTURES) writeFileSync(join(root, 'docs/tour/recording.txt'), `${recording}\n`)
})
