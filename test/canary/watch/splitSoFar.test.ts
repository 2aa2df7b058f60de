import { describe, expect, it } from 'vitest'
import { Sample } from '../../../src/canary/sampling/sample.ts'
import { parseExpectation } from '../../../src/canary/verdict/expectation.ts'
import { splitSoFar } from '../../../src/canary/watch/splitSoFar.ts'
import { seeded } from '../../seeded.ts'

const sampleOf = (stable: number, canary: number, failed = 0) => {
  const sample = new Sample()
  for (let i = 0; i < stable; i++) sample.add({ version: 'v1', role: 'stable' })
  for (let i = 0; i < canary; i++) sample.add({ version: 'v2', role: 'canary' })
  for (let i = 0; i < failed; i++) sample.add({ error: 'timeout' })
  return sample
}

describe('the split so far', () => {
  const of = (sample: Sample, expectation: string) => splitSoFar(sample, parseExpectation(expectation))?.text

  it.each([
    [1800, 200, 'stable=90,canary=10', 'the split is right'],
    [270, 30, 'stable=90,canary=10', 'whether the split is right cannot be told yet: that takes about 530 more requests'],
    [0, 0, 'stable=90,canary=10', 'whether the split is right cannot be told yet: that takes about 770 more requests'],
    [50, 50, 'stable=90,canary=10', 'the split is wrong: stable answers 50 % instead of 90 %'],
    [300, 0, 'stable=90,canary=10', 'the split is wrong: stable answers 100 % instead of 90 %'],
    [400, 0, 'stable=100,canary=0', 'the split is right'],
    [30, 0, 'stable=100,canary=0', 'whether the split is right cannot be told yet: that takes about 370 more requests'],
    [299, 1, 'stable=100,canary=0', 'the split is wrong: stable answers 99.7 % instead of 100 %'],
    [1000, 4, 'stable=99,canary=1', 'whether the split is right cannot be told yet: that takes about 8,200 more requests'],
  ])('%i and %i at %s', (stable, canary, expectation, text) => {
    expect(of(sampleOf(stable, canary), expectation)).toBe(text)
  })

  it('is of what was answered', () => {
    expect(of(sampleOf(1800, 200, 500), 'stable=90,canary=10')).toBe('the split is right')
  })

  it('is not known where nothing is expected', () => {
    expect(splitSoFar(sampleOf(10, 1), [])).toBeUndefined()
  })

  it('is wrong about a right split once in 1000 times at most, however often one looks', () => {
    const random = seeded(5)
    for (let run = 0; run < 20; run++) {
      const sample = new Sample()
      for (let n = 1; n <= 500; n++) {
        const isCanarys = random() < 0.1
        sample.add({ version: isCanarys ? 'v2' : 'v1', role: isCanarys ? 'canary' : 'stable' }, n)
        if (n % 10 === 0) expect(of(sample, 'stable=90,canary=10')).not.toContain('wrong')
      }
    }
  })
})
