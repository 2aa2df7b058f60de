import { describe, expect, it } from 'vitest'
import { type Outcome, Sample } from '../../../src/canary/sampling/sample.ts'
import { parseExpectation } from '../../../src/canary/verdict/expectation.ts'
import { judge } from '../../../src/canary/verdict/judge.ts'
import { plan } from '../../../src/canary/verdict/plan.ts'
import { agreesWith } from '../../../src/canary/verdict/waitForReplies.ts'
import { limits } from './powerTable.ts'

const expectation = parseExpectation('stable=50,canary=50')
const stable: Outcome = { version: 'v1', role: 'stable', microseconds: 2000 }
const canary: Outcome = { version: 'v2', role: 'canary', microseconds: 2000 }
const failed: Outcome = { version: 'v2', role: 'canary', error: '500' }
const refused: Outcome = { error: '429 without a version' }
const bySelf: Outcome = { version: 'v2', role: 'canary', error: '429' }

function sampleOf(...groups: [number, Outcome][]): Sample {
  const sample = new Sample()
  for (const [times, outcome] of groups) for (let n = 0; n < times; n++) sample.add(outcome)
  return sample
}

function judged(...groups: [number, Outcome][]) {
  const sample = sampleOf(...groups)
  const { verdict, gates } = judge(sample, plan(expectation, limits, sample.requests))
  return { verdict, gates: gates.map((gate) => `${gate.verdict} ${gate.name}`), reason: gates[0]?.reason }
}

describe('what a rate limit has refused', () => {
  it.each([
    [900, 30],
    [540, 540],
    [540, 5000],
  ])('is no fault of a canary: beside %i good replies of each, %i', (good, many) => {
    const { verdict, gates, reason } = judged([good, stable], [good, canary], [many, refused])
    expect(verdict).toBe('INCONCLUSIVE')
    expect(gates).toEqual(['INCONCLUSIVE availability', 'INCONCLUSIVE split', 'PASS canary health'])
    const all = (2 * good + many).toLocaleString('en')
    expect(reason).toBe(
      `${many.toLocaleString('en')} of ${all} requests were too many for a rate limit in front of the service (429 without a version): lower --rate`,
    )
  })

  it('counts as any failure where it is as rare as failures may be', () => {
    const { verdict, reason } = judged([900, stable], [900, canary], [9, refused])
    expect(verdict).toBe('PASS')
    expect(reason).toMatch(/^9 of 1,809 requests failed \(0\.5 %: 9 × 429 without a version\)/)
  })

  it('hides no fault of a canary', () => {
    expect(judged([500, stable], [400, canary], [100, failed], [500, refused])).toMatchObject({
      verdict: 'FAIL',
      gates: ['FAIL availability', 'INCONCLUSIVE split', 'FAIL canary health'],
      reason: expect.stringMatching(/^100 of 1,000 requests failed \(10 %: 100 × 500\)/),
    })
    expect(judged([900, stable], [100, canary], [500, refused]).gates).toContain('FAIL split')
    expect(judged([500, stable], [400, canary], [100, bySelf]).verdict).toBe('FAIL')
  })

  it('does not hide that the split has followed', () => {
    expect(agreesWith(sampleOf([50, stable], [50, canary], [100, refused]), expectation)).toBe(true)
    expect(agreesWith(sampleOf([90, stable], [10, canary], [100, refused]), expectation)).toBe(false)
    expect(agreesWith(sampleOf([100, refused]), expectation)).toBe(false)
    expect(agreesWith(sampleOf([90, stable], [10, refused]), parseExpectation('stable=1,canary=0'))).toBe(true)
  })
})
