import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, expect, it } from 'vitest'
import { removeDemos, startDemo } from '../../demo/startDemo.ts'
import { startOnTerminal } from '../commandLine.ts'

afterAll(removeDemos)

it.each([60, 80, 120])('shows its steps on a terminal of %i columns', async (columns) => {
  const demo = await startDemo()
  const line = `shift 50/50 --files-only --chart ${join(demo.folder, 'chart')} --url ${demo.url}`
  const { stdout, exitCode } = await startOnTerminal(line, columns, { NO_COLOR: '1' })
  expect(exitCode).toBe(0)
  expect(stdout).not.toContain('\u001b[32m')
  const text = stripVTControlCharacters(stdout)
  expect(text).toContain('✔ Move traffic to 50/50: written')
  for (const part of text.split(/[\r\n]+/)) expect(part.length).toBeLessThanOrEqual(columns)
})
