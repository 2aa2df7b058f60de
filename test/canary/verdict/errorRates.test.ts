import { describe, expect, it } from 'vitest'
import { ratesOf, truths } from './truths.ts'

// A few checks of each kind: "npm run verdict" simulates thousands.
const checks = 12

describe.each([0.1, 0.5])('simulated checks, with canary at %f', (share) => {
  const { healthy, healthyLatency, faulty, faultyLatency } = truths

  it.each(Object.entries({ ...healthy, ...healthyLatency }))('pass where %s', (_, truth) => {
    const { FAIL, INCONCLUSIVE } = ratesOf(share, truth(share), checks)
    expect([FAIL, INCONCLUSIVE]).toEqual([0, 0])
  })

  it.each(Object.entries({ ...faulty, ...faultyLatency }))('fail where %s', (_, truth) => {
    const { PASS, INCONCLUSIVE, mean } = ratesOf(share, truth(share), checks)
    // One of 12 passes once in nine runs with another seed, two once in 160.
    expect(PASS).toBeLessThanOrEqual(1)
    expect(INCONCLUSIVE).toBe(0)
    expect(mean).toBeLessThan(20_000)
  })

  it('find a canary of which half fails within some hundred requests', () => {
    expect(ratesOf(share, truths.faulty['canary fails 50 %'](share), checks)).toMatchObject({ FAIL: checks })
    expect(ratesOf(share, truths.faulty['canary fails 50 %'](share), checks).mean).toBeLessThan(250)
  })
})
