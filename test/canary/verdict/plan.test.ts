import { describe, expect, it } from 'vitest'
import { parseExpectation } from '../../../src/canary/verdict/expectation.ts'
import { ALPHA, BETA, type Limits, passes, plan, usualSize } from '../../../src/canary/verdict/plan.ts'
import { atLeast, atMost, rarelyExceeded, rarelyMissed } from '../../../src/canary/verdict/statistics.ts'
import { limits } from './samples.ts'

const planned = (expectation: string, some: Partial<Limits> = {}, options = {}) =>
  plan(parseExpectation(expectation), { ...limits, ...some }, options)

describe('a plan', () => {
  it.each([
    ['stable=100,canary=0', 180, 1170],
    ['stable=99,canary=1', 19_620, 519_390],
    ['stable=95,canary=5', 3920, 107_400],
    ['stable=90,canary=10', 1960, 55_680],
    ['stable=75,canary=25', 1670, 21_960],
    ['stable=50,canary=50', 2090, 14_140],
    ['stable=10,canary=90', 1500, 35_680],
  ])('for %s takes %i requests as a rule, and %i decide', (expectation, usual, enough) => {
    expect(planned(expectation)).toMatchObject({ usual, enough })
    expect(usualSize(parseExpectation(expectation), limits)).toBe(usual)
  })

  it('looks after about 50 requests first, and then after twice as many each time', () => {
    expect(planned('stable=90,canary=10').looks.map(({ requests }) => requests)).toEqual([
      62, 123, 245, 490, 980, 1960, 3920, 7840, 15_680, 31_360, 55_680, 111_360, 222_720,
    ])
  })

  it.each(['stable=100,canary=0', 'stable=99,canary=1', 'stable=90,canary=10', 'stable=50,canary=50', 'v1=40,v2=30,v3=30'])(
    'for %s spends no more than both budgets, over all looks, comparisons and steps',
    (expectation) => {
      for (const steps of [1, 5]) {
        const { looks, enough } = planned(expectation, {}, { steps })
        const comparisons = expectation.includes('canary=0') ? 1 : 4
        // What is left open at one look is a fault as well.
        const alphas = looks.reduce((sum, { alpha }) => sum + alpha, looks[0]?.alpha ?? 0)
        expect(steps * comparisons * alphas).toBeLessThanOrEqual(ALPHA * 1.000001)
        expect(looks.reduce((sum, { beta }) => sum + beta, 0)).toBeLessThanOrEqual(BETA)
        expect(looks.some(({ requests, beta }) => requests === enough && beta > 0)).toBe(true)
      }
    },
  )

  it('grows with what is asked of it', () => {
    const usual = (expectation: string, some: Partial<Limits> = {}) => planned(expectation, some).usual
    expect(usual('stable=90,canary=10', { detect: 0.02 })).toBeGreaterThan(2500)
    expect(usual('stable=90,canary=10', { tolerance: 0.01 })).toBeGreaterThan(5000)
    expect(usual('v1=40,v2=30,v3=30')).toBeGreaterThan(1900)
    expect(planned('stable=90,canary=10', {}, { steps: 10 }).enough).toBeGreaterThan(55_680)
  })

  it('ends where it is told to', () => {
    expect(planned('stable=90,canary=10', {}, { requests: 1000 }).looks.map(({ requests }) => requests)).toEqual([
      62, 123, 245, 490, 980, 1000,
    ])
    expect(planned('stable=90,canary=10', {}, { requests: 20 }).looks).toMatchObject([{ requests: 20 }])
    expect(planned('stable=90,canary=10', {}, { requests: 10_000_000 }).looks).toHaveLength(13)
    expect(planned('stable=90,canary=10', {}, { requests: 10_000 })).toMatchObject({
      usual: 1960,
      enough: Number.POSITIVE_INFINITY,
    })
  })

  it('is soon made, however small a share is', () => {
    for (const expectation of ['stable=1000000,canary=1', 'stable=1,canary=1000000']) {
      const { usual, enough, looks } = planned(expectation, {}, { requests: 1000 })
      expect([usual, enough]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])
      expect(looks.map(({ requests, beta }) => [requests, beta])).toEqual([63, 125, 250, 500, 1000].map((size) => [size, 0]))
    }
  })

  it('is a single look where it is strict', () => {
    expect(planned('stable=90,canary=10', { strict: true }, { requests: 500 })).toMatchObject({ looks: [{ requests: 500 }] })
  })

  it('is refused where what must not pass is allowed', () => {
    expect(() => planned('stable=90,canary=10', { maxErrorIncrease: 0.03 })).toThrow(
      new RangeError('what must not pass (0.03) must be more than what is allowed (0.03)'),
    )
  })
})

/** How often a sample, of which each request is a hit with probability `p`, fails and passes: exactly, look by look. */
function exactRates(
  looks: readonly { requests: number }[],
  p: number,
  decide: (hits: number, look: number) => 'FAIL' | 'PASS' | undefined,
) {
  const rates = { FAIL: 0, PASS: 0 }
  let open = new Map([[0, 1]])
  let before = 0
  looks.forEach(({ requests }, look) => {
    const added = requests - before
    before = requests
    const next = new Map<number, number>()
    // What is rarer changes nothing in the digits that count.
    const [few, many] = [rarelyMissed(added, p, 1e-12), rarelyExceeded(added, p, 1e-12)]
    for (let hits = few; open.size > 0 && hits <= many; hits++) {
      const ofAdded = atLeast(hits, added, p) - atLeast(hits + 1, added, p)
      for (const [already, chance] of open) next.set(already + hits, (next.get(already + hits) ?? 0) + chance * ofAdded)
    }
    open = new Map()
    for (const [hits, chance] of next) {
      const verdict = decide(hits, look)
      if (verdict) rates[verdict] += chance
      else if (chance > 1e-12) open.set(hits, chance)
    }
  })
  return rates
}

describe('the exact rates of a whole check', () => {
  it.each(['stable=100,canary=0', 'stable=50,canary=50'])('of availability at %s are kept', (expectation) => {
    const { looks, enough } = planned(expectation)
    const decide = (errors: number, index: number) => {
      const { requests, alpha, beta } = looks[index] as (typeof looks)[number]
      if (atLeast(errors, requests, limits.maxErrorRate) < alpha) return 'FAIL'
      if (beta > 0 && passes.availability(errors, requests, limits, beta)) return 'PASS'
      return requests >= enough ? 'FAIL' : undefined
    }
    const healthy = exactRates(looks, limits.maxErrorRate, decide)
    expect(healthy.FAIL).toBeLessThan(ALPHA)
    expect(healthy.PASS + healthy.FAIL).toBeCloseTo(1, 7)
    const bad = exactRates(looks, limits.maxErrorRate + limits.detect, decide)
    expect(bad.PASS).toBeLessThan(BETA)
    expect(bad.PASS + bad.FAIL).toBeCloseTo(1, 7)
    expect(exactRates(looks, 0.5, decide).FAIL).toBeCloseTo(1, 7)
  })

  it.each([
    ['stable=90,canary=10', 0.1, 0.05],
    ['stable=50,canary=50', 0.5, 0.05],
  ])('of the split at %s are kept', (expectation, share, off) => {
    const { looks, enough } = planned(expectation)
    const decide = (replies: number, index: number) => {
      const { requests, alpha, beta } = looks[index] as (typeof looks)[number]
      if (Math.min(atMost(replies, requests, share), atLeast(replies, requests, share)) < alpha / 2) return 'FAIL'
      if (beta > 0 && passes.share(replies, requests, share, off, beta)) return 'PASS'
      return requests >= enough ? 'FAIL' : undefined
    }
    const right = exactRates(looks, share, decide)
    expect(right.FAIL).toBeLessThan(ALPHA)
    expect(right.PASS).toBeGreaterThan(1 - ALPHA)
    for (const wrong of [share - off, share + off]) expect(exactRates(looks, wrong, decide).PASS).toBeLessThan(BETA)
  })
})
