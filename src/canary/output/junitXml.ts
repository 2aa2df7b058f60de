import type { Gate } from '../verdict/gate.ts'
import type { Report } from '../verdict/sampleAndJudge.ts'

const elements: Record<Exclude<Gate['verdict'], 'PASS'>, string> = {
  FAIL: 'failure',
  INCONCLUSIVE: 'error',
  'NOT APPLICABLE': 'skipped',
}

/** A check's report as JUnit XML, with a test case for each gate (https://github.com/testmoapp/junitxml). */
export function junitXml({ url, gates, seconds }: Report): string {
  const number = (verdict: Gate['verdict']) => gates.filter((gate) => gate.verdict === verdict).length
  const counts = {
    tests: gates.length,
    failures: number('FAIL'),
    errors: number('INCONCLUSIVE'),
    skipped: number('NOT APPLICABLE'),
    time: seconds.toFixed(3),
  }
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes(counts)}>`,
    `  <testsuite${attributes({ name: `canary check ${url}`, ...counts })}>`,
    ...gates.map(({ name, verdict, reason }) => {
      const content =
        verdict === 'PASS'
          ? `<system-out>${escapeXml(reason)}</system-out>`
          : `<${elements[verdict]}${attributes({ message: reason })}/>`
      return `    <testcase${attributes({ classname: 'canary', name })}>${content}</testcase>`
    }),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

const attributes = (values: Record<string, string | number>) =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(`${value}`)}"`)
    .join('')

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escapeXml = (text: string) => text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? '')
