import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, expect, it } from 'vitest'
import { lessons } from '../../src/tour/lessons.ts'

const root = join(import.meta.dirname, '../..')
const cwd = mkdtempSync(join(tmpdir(), 'devops-api-tour-'))
const env = { PATH: process.env.PATH, PORT: '0', NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/devops-api') }

/** The tour, where nobody else's is. */
const tour = (...args: string[]) =>
  execa(process.execPath, [join(root, 'src/tour/tour.ts'), ...args], { cwd, env, extendEnv: false, reject: false })

afterAll(() => rmSync(cwd, { recursive: true }))

it('does every lesson by itself, and finds each done', async () => {
  const { stdout, stderr, exitCode } = await tour('--auto')
  expect(stderr).toBe('')
  for (const [index, { title }] of lessons.entries()) {
    expect(stdout).toContain(` Lesson ${index + 1} of ${lessons.length}: ${title} `)
    expect(stdout).toContain(`Done: lesson ${index + 1}.`)
  }
  expect(exitCode).toBe(0)
  // What the check is to say in lessons 2 and 6, which no load of the machine can change.
  expect(stdout).toMatch(/--requests 20\n.*?INCONCLUSIVE\nexit code 2\n/s)
  expect(stdout).toContain('2 × 500 without a version')
  expect(stdout).toContain('2 × 503 without a version')
  if (process.env.PICTURES)
    writeFileSync(join(root, 'docs/tour/recording.txt'), `${stdout.replaceAll(/localhost:\d+/g, 'localhost:8000')}\n`)
})
