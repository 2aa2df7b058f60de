import type { Report } from '../verdict/sampleAndJudge.ts'
import type { CheckOutput } from './outputs.ts'

/** A report as --json prints it. */
export function checkOutput({
  url,
  from,
  expectation,
  expectationFrom,
  sample,
  connections,
  seconds,
  mayHide,
  verdict,
  gates,
}: Report): CheckOutput {
  return {
    url,
    from,
    expectation: expectation.map(({ version = null, role = null, share }) => ({ version, role, share })),
    expectationFrom,
    sample: sample.toJSON(),
    connections,
    seconds,
    mayHide: [...mayHide],
    verdict,
    gates: gates.map(({ name, verdict, reason }) => ({ name, verdict, reason })),
  }
}
