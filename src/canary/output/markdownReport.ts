import { milliseconds, percent, whole } from '../format.ts'
import { quantileMs } from '../sampling/sample.ts'
import { describeExpectation, findExpected, nameOf } from '../verdict/expectation.ts'
import type { Report } from '../verdict/sampleAndJudge.ts'

/** A check's report in Markdown, such as for the summary of a CI job. */
export function markdownReport({ url, from, expectation, sample, mayHide, gates, verdict }: Report): string {
  const row = (cells: string[]) => `| ${cells.join(' | ')} |`
  const rows = sample.sources.map((source) => [
    literal(nameOf(source)),
    whole(source.replies),
    percent(source.replies / sample.requests),
    percent(findExpected(expectation, source)?.share ?? 0),
    whole(source.errors.total),
    milliseconds(quantileMs(source.latency, 0.95)),
  ])
  const { total } = sample.failures
  if (total > 0) rows.push(['no version', whole(total), percent(total / sample.requests), '', whole(total), ''])
  return [
    `### ${verdict}`,
    '',
    `${whole(sample.requests)} requests ${from === 'real traffic' ? 'of real traffic, as counted by' : 'to'} ${literal(url)}; expected: ${literal(describeExpectation(expectation))}`,
    ...mayHide.map((text) => `\nMay hide errors: ${literal(text)}`),
    '',
    row(['who', 'replies', 'share', 'expected', 'errors', 'p95']),
    row(['---', '--:', '--:', '--:', '--:', '--:']),
    ...rows.map(row),
    '',
    ...gates.map((gate) => `- **${gate.verdict}** ${gate.name}: ${literal(gate.reason)}`),
    '',
  ].join('\n')
}

/** A text of which nothing is Markdown or HTML, whatever a server says. */
const literal = (text: string) => text.replaceAll(/[^\p{L}\p{N} .,%±–-]/gu, (character) => `&#${character.codePointAt(0)};`)
