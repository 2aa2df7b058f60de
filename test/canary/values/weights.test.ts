import { describe, expect, it } from 'vitest'
import type { Values } from '../../../src/canary/values/values.ts'
import { weightsOf, withWeights } from '../../../src/canary/values/weights.ts'

describe('weightsOf', () => {
  it("are those given, and the chart's where none are", () => {
    expect(weightsOf({ traffic: { stable: 90, canary: 10 } })).toEqual({ stable: 90, canary: 10 })
    expect(weightsOf({ traffic: { canary: 10 } })).toEqual({ stable: 100, canary: 10 })
    expect(weightsOf({})).toEqual({ stable: 100, canary: 0 })
    expect(weightsOf({ traffic: { stable: 0, canary: 1_000_000 } })).toEqual({ stable: 0, canary: 1_000_000 })
  })

  it.each([
    ['"ninety"', 'ninety'],
    ['"90"', '90'],
    ['10.5', 10.5],
    ['-1', -1],
    ['1000001', 1_000_001],
    ['true', true],
    ['null', null],
    ['[90]', [90]],
    ['{}', {}],
  ])('refuses %s', (shown, stable) => {
    expect(() => weightsOf({ traffic: { stable, canary: 1 } } as Values, 'f.yaml')).toThrow(
      `traffic.stable in f.yaml is ${shown}: it must be a whole number from 0 to 1000000, without quotes`,
    )
  })

  it.each([
    ['5', 5],
    ['[90,10]', [90, 10]],
    ['"90/10"', '90/10'],
    ['null', null],
  ])('refuses %s in the place of both', (shown, traffic) => {
    expect(() => weightsOf({ traffic } as unknown as Values)).toThrow(
      `traffic is ${shown}: it must be the two weights, such as {stable: 90, canary: 10}`,
    )
  })
})

it('Other weights leave all else', () => {
  const values = { role: 'stable', traffic: { stable: 90, preview: true } }
  expect(withWeights(values as Values, { stable: 75, canary: 25 })).toEqual({
    role: 'stable',
    traffic: { stable: 75, canary: 25, preview: true },
  })
})
