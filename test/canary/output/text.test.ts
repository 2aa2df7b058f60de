import { stripVTControlCharacters, styleText } from 'node:util'
import { describe, expect, it } from 'vitest'
import { milliseconds, percent, points } from '../../../src/canary/format.ts'
import { junitXml } from '../../../src/canary/output/junitXml.ts'
import { reportText } from '../../../src/canary/output/reportText.ts'
import type { Paint } from '../../../src/canary/output/terminal.ts'
import { versionsTable } from '../../../src/canary/output/versionsTable.ts'
import { Sample } from '../../../src/canary/sampling/sample.ts'
import { parseExpectation } from '../../../src/canary/verdict/expectation.ts'
import { judge } from '../../../src/canary/verdict/judge.ts'
import { plan } from '../../../src/canary/verdict/plan.ts'
import type { Report } from '../../../src/canary/verdict/sampleAndJudge.ts'
import { History } from '../../../src/canary/watch/history.ts'
import { secondLine } from '../../../src/canary/watch/secondLine.ts'
import { watchScreen } from '../../../src/canary/watch/watchScreen.ts'
import { limits } from '../verdict/powerTable.ts'

const plain: Paint = (_, text) => text
const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false })
const expectation = parseExpectation('stable=90,canary=10')

const replies = (sample: Sample, count: number, version: string, role: string, error?: string) => {
  for (let i = 0; i < count; i++) sample.add({ version, role, error, microseconds: 1000 + 10 * i })
}

function sampleOf(forStable: number, forCanary: number, failed = 0): Sample {
  const sample = new Sample()
  replies(sample, forCanary, 'v1.1.1-canary', 'canary')
  replies(sample, failed, 'v1.1.1-canary', 'canary', '500')
  replies(sample, forStable, 'v1.1.1', 'stable')
  return sample
}

it('Numbers read well', () => {
  expect([0, 0.1, 0.104, 0.9996, 1, 0.00034, 0.008].map(percent)).toEqual([
    '0 %',
    '10 %',
    '10.4 %',
    '100 %',
    '100 %',
    '0.03 %',
    '0.8 %',
  ])
  expect([0.05, 0.01, 0.005].map(points)).toEqual(['5 points', '1 point', '0.5 points'])
  expect([0.85, 9.4, 12.3, 1234.5, undefined].map(milliseconds)).toEqual(['0.85 ms', '9.4 ms', '12 ms', '1,235 ms', '–'])
})

describe('the table of versions', () => {
  const table = (sample: Sample, width: number, expected = expectation) => versionsTable(sample, expected, 2, width, plain)

  it('has who answered in the order of what is expected, and the errors of each', () => {
    expect(table(sampleOf(450, 40, 10), 80)).toEqual([
      '               replies   share       95 %  expected  per s   p50  p95  p99 ms',
      'v1.1.1 stable      450  90.0 %  87.1–92.3      90 %    225   3.2  5.3  5.5 ms',
      'v1.1.1-canary       50  10.0 %   7.7–12.9      10 %     25   1.2  1.4  1.4 ms',
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
      '               replies   share       95 %  per s   p50  p95  p99 ms',
      'v1.1.1 stable        9  90.0 %  59.6–98.2    4.5   1.0  1.1  1.1 ms',
      'v1.1.1-canary        1  10.0 %   1.8–40.4   0.50   1.0  1.0  1.0 ms',
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
})

function reportOf(sample: Sample, expected = expectation): Report {
  const judgement = judge(sample, plan(expected, limits, sample.requests))
  return {
    url: 'http://127.0.0.1:8000/version',
    expectation: expected,
    expectationFrom: 'the gateway',
    sample,
    seconds: 1.25,
    ...judgement,
  }
}

describe('a report', () => {
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
        '  0 of 100 requests failed, at most 1 % may; 299 requests',
        '  are needed to tell',
        'INCONCLUSIVE split',
        '  canary answered 10 of 100 requests (10 %), expected 10 % ±',
        '  5 points; 380 requests are needed to tell',
        'INCONCLUSIVE canary health',
        '  canary sent 10 and stable 90 good replies, 30 of each are',
        '  needed to compare them',
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

  it('says where the expectation comes from, unless from the caller', () => {
    const report = reportOf(sampleOf(90, 10))
    expect(reportText({ ...report, expectationFrom: 'the caller' }, 80, plain)).toContain('expected: stable 90 %, canary 10 %\n')
    expect(reportText({ ...report, expectationFrom: 'the values files' }, 80, plain)).toContain('(declared in the values files)')
  })
})

describe('JUnit XML', () => {
  it('has a test case for each gate', () => {
    expect(junitXml(reportOf(sampleOf(90, 0, 10)))).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3" failures="2" errors="1" skipped="0" time="1.250">
  <testsuite name="canary check http://127.0.0.1:8000/version" tests="3" failures="2" errors="1" skipped="0" time="1.250">
    <testcase classname="canary" name="availability"><failure message="10 of 100 requests failed (10 %: 10 × 500), at most 1 % may"/></testcase>
    <testcase classname="canary" name="split"><error message="canary answered 10 of 100 requests (10 %), expected 10 % ± 5 points; 380 requests are needed to tell"/></testcase>
    <testcase classname="canary" name="canary health"><failure message="canary failed 10 of 10 (100 %), stable 0 of 90 (0 %), allowed: 1 point more"/></testcase>
  </testsuite>
</testsuites>
`)
    const healthy = junitXml(reportOf(sampleOf(500, 0), parseExpectation('stable=100')))
    expect(healthy).toContain('<testsuites tests="3" failures="0" errors="0" skipped="1" time="1.250">')
    expect(healthy).toContain('name="availability"><system-out>0 of 500 requests failed, at most 1 % may</system-out></testcase>')
    expect(healthy).toContain('name="canary health"><skipped message="no request is meant for a canary"/></testcase>')
  })

  it('is one whatever a server says', () => {
    const sample = sampleOf(90, 10)
    sample.add({ version: `<"&'>`, role: 'x' })
    expect(junitXml({ ...reportOf(sample), url: 'http://x/?a&b' })).toContain("1 × &lt;&quot;&amp;'&gt; x")
  })
})

describe('a watch', () => {
  const at = new Date('2027-01-02T03:04:05.678Z')

  it('has a line for each second', () => {
    const sample = sampleOf(17, 1, 1)
    sample.add({ error: 'timeout' })
    expect(secondLine(sample, at)).toBe(
      '03:04:05Z  20 requests  v1.1.1-canary 2 (10 %, 1 × 500, p95 1.0 ms)  v1.1.1 stable 17 (85 %, p95 1.1 ms)  no version 1 (1 × timeout)',
    )
    expect(secondLine(new Sample(), at)).toBe('03:04:05Z  0 requests')
  })

  function historyOf(seconds: [stable: number, canary: number][]): History {
    const history = new History(expectation)
    for (const [forStable, forCanary] of seconds) {
      for (let i = 0; i < forStable; i++) history.add({ version: 'v1', role: 'stable', microseconds: 1000 }, 0)
      for (let i = 0; i < forCanary; i++) history.add({ version: 'v2', role: 'canary', microseconds: 1000 }, 0)
      history.endSecond()
    }
    return history
  }
  const screen = (history: History, width = 80, seconds = 65) =>
    watchScreen('http://127.0.0.1:8000/version', history, { sample: history.total, seconds }, seconds, width, plain)

  it("draws canary's share", () => {
    expect(
      screen(
        historyOf([
          [9, 1],
          [8, 2],
          [0, 0],
          [10, 0],
          [6, 4],
        ]),
      )
        .split('\n')
        .slice(-3),
    ).toEqual(["canary's share, second by second, up to 40 %:", '▃▅ ▁█', ''])
    expect(screen(historyOf([[10, 0]]))).not.toContain('second by second')
  })

  it('draws as many of the last seconds as there is room for', () => {
    const history = historyOf([...Array.from({ length: 50 }, (): [number, number] => [9, 1]), [5, 5]])
    expect(screen(history, 40).split('\n').at(-2)).toBe(`${'▂'.repeat(39)}█`)
  })

  it('says how long it has been, and what is only a part of it', () => {
    const history = historyOf([[9, 1]])
    expect(screen(history)).toMatch(/^http:\/\/127\.0\.0\.1:8000\/version: 10 requests in 1:05\n\n/)
    expect(screen(history, 80, 3605)).toContain('in 1:00:05')
    expect(watchScreen('u', history, { sample: sampleOf(3, 0), seconds: 1 }, 1, 80, plain)).toContain(
      'in 0:01\nthe last 3 requests:\n',
    )
  })

  it('says that the announced split has changed', () => {
    const history = historyOf([[9, 1]])
    history.add({ announced: 'stable=1' }, 0)
    expect(screen(history)).not.toContain('announced')
    history.add({ announced: 'canary=1' }, 0)
    expect(screen(history)).toContain('\n\nthe announced split has changed: stable=1, then canary=1\n')
  })

  it('says what it did not send', () => {
    const history = historyOf([[9, 1]])
    expect(screen(history)).not.toContain('not sent')
    history.unsent = 1200
    expect(screen(history)).toContain('1,200 requests not sent, as all --connections were busy')
  })
})
