import { stripVTControlCharacters } from 'node:util'
import { expect, it } from 'vitest'
import { copyChart, startOnTerminal } from '../commandLine.ts'
import { gateway } from '../fakeService.ts'

it.each([60, 80, 120])('shows its steps on a terminal of %i columns', async (columns) => {
  const { url } = await gateway({ stable: 50, canary: 50 })
  const line = `shift 50/50 --files-only --chart ${copyChart()} --url ${url} --max-p95-increase 60s`
  const { stdout, exitCode } = await startOnTerminal(line, columns, { NO_COLOR: '1' })
  expect(exitCode).toBe(0)
  expect(stdout).not.toContain('\u001b[32m')
  const text = stripVTControlCharacters(stdout)
  expect(text).toContain('✔ Move traffic to 50/50: written')
  for (const part of text.split(/[\r\n]+/)) expect(part.length).toBeLessThanOrEqual(columns)
})
