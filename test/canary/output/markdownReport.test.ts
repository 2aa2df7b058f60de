import { expect, it } from 'vitest'
import { markdownReport } from '../../../src/canary/output/markdownReport.ts'
import { reportOf, sampleOf } from './samples.ts'

it('has who answered, and a line for each gate', () => {
  expect(
    markdownReport(reportOf(sampleOf(90, 0, 10)))
      .split('\n')
      .slice(4),
  ).toEqual([
    '| who | replies | share | expected | errors | p95 |',
    '| --- | --: | --: | --: | --: | --: |',
    '| v1.1.1-canary | 10 | 10 % | 10 % | 10 | – |',
    '| v1.1.1 stable | 90 | 90 % | 90 % | 0 | 1.9 ms |',
    '',
    expect.stringMatching(/^- \*\*FAIL\*\* availability: 10 of 100 requests failed /),
    expect.stringMatching(/^- \*\*INCONCLUSIVE\*\* split: /),
    expect.stringMatching(/^- \*\*FAIL\*\* canary health: /),
    '',
  ])
})

it('is text, whatever a server says', () => {
  const sample = sampleOf(90, 10)
  sample.add({ version: '| <script> `a` [b](c) @d *e* _f_', role: 'x' })
  const line = markdownReport(reportOf(sample))
    .split('\n')
    .find((line) => line.includes('script'))
  expect(line?.replaceAll(/&#\d+;/g, '')).toMatch(/^\| [\w ]+ \| 1 \| [\d.]+ % \| 0 % \| 0 \| – \|$/)
})
