import { describe, expect, it } from 'vitest'
import { Sample } from '../../../src/canary/sampling/sample.ts'
import { parseExpectation } from '../../../src/canary/verdict/expectation.ts'
import { isSticky } from '../../../src/canary/verdict/isSticky.ts'
import { seeded } from '../../seeded.ts'

const expectation = parseExpectation('stable=75,canary=25')

/** So many requests over ten connections, of which `isCanarys` says who answers. */
function sampleOf(requests: number, isCanarys: (connection: number, request: number) => boolean, isKept = true): Sample {
  const sample = new Sample()
  const random = seeded(1)
  for (let request = 0; request < requests; request++) {
    const connection = Math.floor(random() * 10)
    const who = isCanarys(connection, request) ? { version: 'v2', role: 'canary' } : { version: 'v1', role: 'stable' }
    sample.add({ ...who, ...(isKept && { connection }) }, request)
  }
  return sample
}

describe('a gateway', () => {
  const random = seeded(2)

  it.each([
    ['that keeps a connection with one backend', sampleOf(60, (connection) => connection % 4 === 0), true, true],
    ['that does so and whose connections all met one backend', sampleOf(60, () => false), false, true],
    ['that draws anew for each request', sampleOf(2000, () => random() < 0.25), false, false],
    ['that takes turns', sampleOf(2000, (_, request) => request % 4 === 0), false, false],
    ['that is asked on a connection for each request', sampleOf(60, (connection) => connection % 4 === 0, false), false, false],
  ])('%s', (_, sample, isSticking, isStickingIfWrong) => {
    expect(isSticky(sample, expectation, false)).toBe(isSticking)
    expect(isSticky(sample, expectation, true)).toBe(isStickingIfWrong)
  })

  it('is not meant where one is to get everything', () => {
    expect(
      isSticky(
        sampleOf(60, () => false),
        parseExpectation('stable=1,canary=0'),
        true,
      ),
    ).toBe(false)
  })

  it('is not blamed where nobody expects what replies say', () => {
    const sample = sampleOf(60, (connection) => connection % 4 === 0)
    expect(isSticky(sample, parseExpectation('v3=75,v4=25'), true)).toBe(false)
  })

  it('that draws anew is hardly ever mistaken for one that does not', () => {
    const draw = seeded(3)
    let [mistaken, mistakenIfWrong] = [0, 0]
    for (let run = 0; run < 2000; run++) {
      const sample = sampleOf(123, () => draw() < 0.25)
      if (isSticky(sample, expectation, false)) mistaken++
      if (isSticky(sample, expectation, true)) mistakenIfWrong++
    }
    expect(mistaken).toBe(0)
    expect(mistakenIfWrong).toBeLessThan(10)
  })
})
