import { stripVTControlCharacters } from 'node:util'
import { expect, it } from 'vitest'
import { versionsTable } from '../../../src/canary/output/versionsTable.ts'
import { Sample } from '../../../src/canary/sampling/sample.ts'
import { parseExpectation } from '../../../src/canary/verdict/expectation.ts'
import { coloured, expectation, plain, replies, sampleOf } from './samples.ts'

const table = (sample: Sample, width: number, expected = expectation) => versionsTable(sample, expected, 2, width, plain)

it('has who answered in the order of what is expected, and the errors of each', () => {
  expect(table(sampleOf(450, 40, 10), 80)).toEqual([
    '               replies   share       95 %  expected  per s   p50  p95  p99 ms',
    'v1.1.1 stable      450  90.0 %  84.5–94.1      90 %    225   3.2  5.3  5.5 ms',
    'v1.1.1-canary       50  10.0 %   5.9–15.5      10 %     25   1.2  1.4  1.4 ms',
    '  10 × 500',
  ])
})

it('has what came instead of a version, and who never answered', () => {
  const sample = sampleOf(441, 0)
  for (let i = 0; i < 49; i++) sample.add({ error: i ? '500 without a version' : 'timeout' })
  expect(table(sample, 60).slice(2)).toEqual([
    'canary               0   0.0 %      10 %',
    'no version          49  10.0 %',
    '  48 × 500 without a version, 1 × timeout',
  ])
})

it('has nothing of what is expected where nothing is known', () => {
  expect(table(sampleOf(9, 1), 80, [])).toEqual([
    '               replies   share        95 %  per s   p50  p95  p99 ms',
    'v1.1.1 stable        9  90.0 %  45.5–100.0    4.5   1.0  1.1  1.1 ms',
    'v1.1.1-canary        1  10.0 %    0.0–54.5   0.50   1.0  1.0  1.0 ms',
  ])
})

it('says that there is nothing yet', () => {
  expect(table(new Sample(), 80, [])).toEqual(['no reply yet'])
})

it('shows how large a share is where there is room', () => {
  const [, stable = '', canary = ''] = table(sampleOf(90, 10), 120)
  expect([stable, canary].map((line) => line.split('█').length - 1)).toEqual([37, 4])
  expect(table(sampleOf(90, 10), 80).join()).not.toContain('█')
})

it.each([30, 40, 60, 80, 100, 120, 140, 200])('fits into %i columns, with colours as without', (width) => {
  const sample = sampleOf(123_456, 12_000, 1000)
  replies(sample, 1, `v${'1'.repeat(100)}`, 'stable')
  for (let i = 0; i < 30; i++) sample.add({ error: `something long that nobody has ever seen before, number ${i}` })
  const lines = versionsTable(sample, expectation, 2, width, coloured)
  expect(lines.length).toBeGreaterThan(5)
  expect(lines.map(stripVTControlCharacters)).toEqual(versionsTable(sample, expectation, 2, width, plain))
  for (const line of lines) expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(width)
})

it('shows a version that nobody expects in red', () => {
  const sample = sampleOf(9, 1)
  const [, stable = '', canary = ''] = versionsTable(sample, parseExpectation('v1.1.1=100'), 1, 80, coloured)
  expect(stable.startsWith(coloured('cyan', 'v').slice(0, 5))).toBe(true)
  expect(canary.startsWith(coloured('red', 'v').slice(0, 5))).toBe(true)
})
