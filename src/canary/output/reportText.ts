import { count } from '../format.ts'
import { describeExpectation } from '../verdict/expectation.ts'
import type { Gate } from '../verdict/gate.ts'
import type { Report } from '../verdict/sampleAndJudge.ts'
import { fold, type Paint, type Style } from './terminal.ts'
import { unsentText } from './unsentText.ts'
import { versionsTable } from './versionsTable.ts'

const styles: Record<Gate['verdict'], Style> = {
  PASS: ['bold', 'green'],
  FAIL: ['bold', 'red'],
  INCONCLUSIVE: ['bold', 'yellow'],
  'NOT APPLICABLE': 'dim',
}

const INDENT = '  '

const STICKY = 'the gateway keeps a connection with one backend: each request had one of its own'
/** A check's report for people, no wider than `width` where words allow. */
export function reportText(report: Report, width: number, paint: Paint): string {
  const { url, from, expectation, expectationFrom, sample, connections, seconds, mayHide, gates, verdict } = report
  const origin = {
    'the caller': '',
    'the gateway': ' (announced by the gateway)',
    'the values files': ' (declared in the values files)',
  }
  return [
    ...fold(
      `${url}: ${count(sample.requests, 'request')}${from === 'real traffic' ? ' of real traffic' : ''} in ${seconds.toFixed(1)} s`,
      width,
    ),
    ...fold(`expected: ${describeExpectation(expectation)}${origin[expectationFrom]}`, width),
    ...(connections === 'one for each request' ? fold(STICKY, width) : []),
    ...mayHide.flatMap((text) => fold(`may hide errors: ${text}`, width)),
    '',
    ...versionsTable(sample, expectation, seconds, width, paint),
    ...unsentText(sample).flatMap((text) => fold(text, width).map((line) => paint('red', line))),
    '',
    ...gates.flatMap(({ name, verdict, reason }) => [
      `${paint(styles[verdict], verdict)} ${name}`,
      ...fold(reason, width - INDENT.length).map((line) => `${INDENT}${line}`),
    ]),
    '',
    paint(styles[verdict], verdict),
    '',
  ].join('\n')
}
