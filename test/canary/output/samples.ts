import { styleText } from 'node:util'
import type { Paint } from '../../../src/canary/output/terminal.ts'
import { Sample } from '../../../src/canary/sampling/sample.ts'
import { type Expectation, parseExpectation } from '../../../src/canary/verdict/expectation.ts'
import { judge } from '../../../src/canary/verdict/judge.ts'
import type { Report } from '../../../src/canary/verdict/sampleAndJudge.ts'
import { planOf } from '../verdict/samples.ts'

export const plain: Paint = (_, text) => text
export const coloured: Paint = (style, text) => styleText(style, text, { validateStream: false })
export const expectation = parseExpectation('stable=90,canary=10')

export const replies = (sample: Sample, count: number, version: string, role: string, error?: string) => {
  // Evenly over six seconds: what comes in a burst would tell less.
  for (let i = 0; i < count; i++) sample.add({ version, role, error, microseconds: 1000 + 10 * i }, (i / count) * 6000)
}

export function sampleOf(forStable: number, forCanary: number, failed = 0): Sample {
  const sample = new Sample()
  replies(sample, forCanary, 'v1.1.1-canary', 'canary')
  replies(sample, failed, 'v1.1.1-canary', 'canary', '500')
  replies(sample, forStable, 'v1.1.1', 'stable')
  return sample
}

export function reportOf(sample: Sample, expected: Expectation = expectation): Report {
  const judgement = judge(sample, { ...planOf(sample), usual: 1960, expectation: expected })
  return {
    url: 'http://127.0.0.1:8000/version',
    expectation: expected,
    expectationFrom: 'the gateway',
    sample,
    from: 'own requests',
    connections: 'kept',
    seconds: 1.25,
    mayHide: [],
    ...judgement,
  }
}
