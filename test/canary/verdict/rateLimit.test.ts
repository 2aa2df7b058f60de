import { describe, expect, it } from 'vitest'
import type { Sample } from '../../../src/canary/sampling/sample.ts'
import { parseExpectation } from '../../../src/canary/verdict/expectation.ts'
import { agreesWith } from '../../../src/canary/verdict/waitForReplies.ts'
import { canary, judged, sampleOf, stable } from './samples.ts'

const half = 'stable=50,canary=50'
const refused = (many: number) => ({ '429 without a version': many })

function gatesOf(sample: Sample) {
  const { verdict, gates } = judged(sample, { expect: half })
  return { verdict, gates: gates.map((gate) => `${gate.verdict} ${gate.name}`), reason: gates[0]?.reason }
}

describe('what a rate limit has refused', () => {
  it.each([
    [900, 30],
    [540, 540],
    [540, 5000],
  ])('is no fault of a canary: beside %i good replies of each, %i', (good, many) => {
    const { verdict, gates, reason } = gatesOf(sampleOf([{ ...stable, ok: good }, { ...canary, ok: good }, refused(many)]))
    expect(verdict).toBe('INCONCLUSIVE')
    expect(gates).toEqual(['INCONCLUSIVE availability', 'INCONCLUSIVE split', 'INCONCLUSIVE canary health'])
    const all = (2 * good + many).toLocaleString('en')
    expect(reason).toBe(
      `${many.toLocaleString('en')} of ${all} requests were too many for a rate limit in front of the service (429 without a version): lower --rate`,
    )
  })

  it('counts as any failure where it is as rare as failures may be', () => {
    const { verdict, reason } = gatesOf(sampleOf([{ ...stable, ok: 900 }, { ...canary, ok: 900 }, refused(9)]))
    expect(verdict).toBe('PASS')
    expect(reason).toMatch(/^9 of 1,809 requests failed \(0\.5 %: 9 × 429 without a version\)/)
  })

  it('hides no fault of a canary', () => {
    const failing = sampleOf([{ ...stable, ok: 500 }, { ...canary, ok: 400, 500: 100 }, refused(500)])
    expect(gatesOf(failing)).toMatchObject({
      verdict: 'FAIL',
      gates: ['FAIL availability', 'INCONCLUSIVE split', 'FAIL canary health'],
      reason: expect.stringMatching(/^100 of 1,000 requests failed \(10 %: 100 × 500\)/),
    })
    expect(gatesOf(sampleOf([{ ...stable, ok: 900 }, { ...canary, ok: 100 }, refused(500)])).gates).toContain('FAIL split')
    expect(
      gatesOf(
        sampleOf([
          { ...stable, ok: 500 },
          { ...canary, ok: 400, 429: 100 },
        ]),
      ).verdict,
    ).toBe('FAIL')
  })

  it('does not hide that the split has followed', () => {
    const agrees = (ofStable: number, ofCanary: number, many: number, expected = half) =>
      agreesWith(sampleOf([{ ...stable, ok: ofStable }, { ...canary, ok: ofCanary }, refused(many)]), parseExpectation(expected))
    expect(agrees(50, 50, 100)).toBe(true)
    expect(agrees(90, 10, 100)).toBe(false)
    expect(agrees(0, 0, 100)).toBe(false)
    expect(agrees(90, 0, 10, 'stable=1,canary=0')).toBe(true)
  })
})
