import { stripVTControlCharacters } from 'node:util'
import { expect, it } from 'vitest'
import { reportText } from '../../../src/canary/output/reportText.ts'
import { coloured, plain, reportOf, sampleOf } from './samples.ts'

it('is a page', () => {
  expect(reportText(reportOf(sampleOf(90, 10)), 60, plain)).toBe(
    [
      'http://127.0.0.1:8000/version: 100 requests in 1.3 s',
      'expected: stable 90 %, canary 10 % (announced by the',
      'gateway)',
      '',
      '               replies   share  expected   p50  p95  p99 ms',
      'v1.1.1 stable       90  90.0 %      90 %   1.4  1.9  1.9 ms',
      'v1.1.1-canary       10  10.0 %      10 %   1.0  1.1  1.1 ms',
      '',
      'INCONCLUSIVE availability',
      '  0 of 100 requests failed, at most 1 % may; too few',
      '  requests to tell: as a rule, that takes 1,960',
      'INCONCLUSIVE split',
      '  canary answered 10 of 100 requests (10 %), expected 10 % ±',
      '  5 points; too few requests to tell: as a rule, that takes',
      '  1,960',
      'INCONCLUSIVE canary health',
      '  canary failed 0 of 10 (0 %), stable 0 of 90 (0 %),',
      "  allowed: 1 point more; canary's p95 is 1.1 ms, stable's",
      '  1.9 ms, allowed: 20 ms more; too few requests to tell: as',
      '  a rule, that takes 1,960',
      '',
      'INCONCLUSIVE',
      '',
    ].join('\n'),
  )
})

it('is the same with colours, but for these', () => {
  const report = reportOf(sampleOf(400, 50, 50))
  const text = reportText(report, 80, coloured)
  expect(stripVTControlCharacters(text)).toBe(reportText(report, 80, plain))
  expect(text).toContain(coloured(['bold', 'red'], 'FAIL'))
})

it('says where each request had a connection of its own', () => {
  const report = { ...reportOf(sampleOf(90, 10)), connections: 'one for each request' as const }
  expect(reportText(report, 120, plain)).toContain(
    '\nthe gateway keeps a connection with one backend: each request had one of its own\n',
  )
})

it('says what may hide errors', () => {
  const report = { ...reportOf(sampleOf(90, 10)), mayHide: ["the route's rule gives up after 1s"] }
  expect(reportText(report, 80, plain)).toContain(
    "(announced by the gateway)\nmay hide errors: the route's rule gives up after 1s\n\n",
  )
})

it('says where the expectation comes from, unless from the caller', () => {
  const report = reportOf(sampleOf(90, 10))
  expect(reportText({ ...report, expectationFrom: 'the caller' }, 80, plain)).toContain('expected: stable 90 %, canary 10 %\n')
  expect(reportText({ ...report, expectationFrom: 'the values files' }, 80, plain)).toContain('(declared in the values files)')
})

it('says what it did not send', () => {
  const report = reportOf(sampleOf(90, 10))
  expect(reportText(report, 80, plain)).not.toContain('not sent')
  report.sample.unsent = 1200
  expect(reportText(report, 80, plain)).toContain(' ms\n1,200 requests not sent, as all --connections were busy\n\n')
})
