import { describe, expect, it } from 'vitest'
import {
  alwaysValidInterval,
  atLeast,
  atMost,
  chiSquaredTail,
  designEffect,
  farFromMean,
  leastDifference,
  leastShare,
  mostDifference,
  quantileRanks,
  rarelyExceeded,
  rarelyMissed,
} from '../../../src/canary/verdict/statistics.ts'
import { seeded } from '../../seeded.ts'

/** The same tail, in whole numbers of any length: hits have the chance `hit` in `of`. */
function exactTail(k: number, n: number, hit: bigint, of: bigint): number {
  let term = (of - hit) ** BigInt(n)
  let sum = k === 0 ? term : 0n
  for (let i = 1; i <= n; i++) {
    term = (term * BigInt(n - i + 1) * hit) / (BigInt(i) * (of - hit))
    if (i >= k) sum += term
  }
  const digits = 10n ** 25n
  return Number((sum * digits) / of ** BigInt(n)) / 1e25
}

describe('a binomial tail', () => {
  it.each([
    [0, 20, 1n, 10n],
    [1, 20, 1n, 10n],
    [50, 500, 1n, 10n],
    [76, 500, 1n, 10n],
    [25, 500, 1n, 10n],
    [455, 500, 9n, 10n],
    [15, 500, 1n, 100n],
    [1, 2000, 1n, 1000n],
    [600, 1080, 1n, 2n],
    [17, 20, 1n, 2n],
  ] as const)('is exact: %i or more of %i at %i in %i', (k, n, hit, of) => {
    const p = Number(hit) / Number(of)
    const truth = exactTail(k, n, hit, of)
    expect(Math.abs(atLeast(k, n, p) / truth - 1)).toBeLessThan(1e-10)
    expect(atMost(k - 1, n, p)).toBeCloseTo(1 - truth, 10)
  })

  it('is what everybody expects of coins and dice', () => {
    expect(atLeast(8, 10, 0.5)).toBeCloseTo(56 / 1024, 14)
    expect(atLeast(1, 4, 1 / 6)).toBeCloseTo(671 / 1296, 14)
    expect(atMost(0, 20, 0.1)).toBeCloseTo(0.12157665459, 10)
  })

  it('is certain at its ends', () => {
    expect([
      atLeast(0, 5, 0.5),
      atLeast(6, 5, 0.5),
      atLeast(1, 5, 0),
      atLeast(5, 5, 1),
      atMost(5, 5, 0.5),
      atMost(4, 5, 1),
    ]).toEqual([1, 0, 0, 1, 1, 0])
  })

  it('stays a probability far out, and with many trials', () => {
    expect(atLeast(500, 500, 0.01)).toBe(0)
    // A mean that is a whole number is the median, too.
    expect(atLeast(5000, 1_000_000, 0.005)).toBeGreaterThan(0.5)
    expect(atLeast(5001, 1_000_000, 0.005)).toBeLessThan(0.5)
    expect(atLeast(5001, 1_000_000, 0.005)).toBeGreaterThan(0.49)
  })
})

it('Far from the mean counts both sides, and what is just as far', () => {
  expect(farFromMean(3, 10, 0.5)).toBeCloseTo((2 * 56) / 1024, 14)
  expect(farFromMean(25, 500, 0.1)).toBeCloseTo(exactTail(75, 500, 1n, 10n) + 1 - exactTail(26, 500, 1n, 10n), 10)
  // In floating point, 100 * 0.29 is less than 29.
  expect(farFromMean(3, 100, 0.29)).toBeCloseTo(atMost(26, 100, 0.29) + atLeast(32, 100, 0.29), 14)
  expect(farFromMean(0, 500, 0.1)).toBe(1)
  expect(farFromMean(1, 500, 0)).toBe(0)
  expect(farFromMean(1, 500, 1)).toBe(0)
})

// Newcombe, Statistics in Medicine 17 (1998), 857–872, table I.
it.each([
  { k: 81, n: 263, exact: [0.2527, 0.3676] },
  { k: 15, n: 148, exact: [0.0578, 0.1617] },
  { k: 0, n: 20, exact: [0, 0.1684] },
  { k: 1, n: 29, exact: [0.0009, 0.1776] },
])('The bounds of $k of $n are the published ones', ({ k, n, exact }) => {
  const rounded = (numbers: readonly number[]) => numbers.map((number) => Number(number.toFixed(4)))
  expect(rounded([leastShare(k, n, 0.025), 1 - leastShare(n - k, n, 0.025)])).toEqual(exact)
})

describe('the least difference of two shares', () => {
  // Newcombe, Statistics in Medicine 17 (1998), 873–890, table II, method 10.
  it.each([
    { k1: 56, n1: 70, k2: 48, n2: 80, published: 0.0524 },
    { k1: 9, n1: 10, k2: 3, n2: 10, published: 0.1705 },
    { k1: 6, n1: 7, k2: 2, n2: 7, published: 0.0582 },
    { k1: 5, n1: 56, k2: 0, n2: 29, published: -0.0381 },
  ])('is a little more careful than the published one: $k1/$n1 and $k2/$n2', ({ k1, n1, k2, n2, published }) => {
    const least = leastDifference(k1, n1, k2, n2, 0.025)
    expect(least).toBeLessThan(published)
    expect(least).toBeGreaterThan(published - 0.15)
  })

  it('is the difference of the shares less the distances to their bounds, as the sides of a right angle', () => {
    const low = leastShare(9, 50, 0.001)
    const high = 1 - leastShare(440, 441, 0.001)
    const [p1, p2] = [9 / 50, 1 / 441]
    expect(leastDifference(9, 50, 1, 441, 0.001)).toBeCloseTo(p1 - p2 - Math.sqrt((p1 - low) ** 2 + (high - p2) ** 2), 12)
  })

  it('is the most of the difference the other way', () => {
    expect(mostDifference(5, 50, 9, 450, 0.001)).toBe(-leastDifference(9, 450, 5, 50, 0.001))
    expect(mostDifference(0, 196, 0, 1764, 0.005)).toBeCloseTo(1 - 0.005 ** (1 / 196), 8)
  })

  // All that may come of canary and stable, with its probability: a bound must not be wrong more often than it says.
  const exactly = (k: number, n: number, p: number) => atLeast(k, n, p) - atLeast(k + 1, n, p)
  const sizes = [
    [10, 90],
    [30, 30],
    [50, 450],
    [196, 1764],
  ] as const

  it.each(sizes)('is above an allowed difference that is true as seldom as it says: %i and %i', (n1, n2) => {
    for (const [alpha, allowed] of [
      [0.001, 0.01],
      [2e-5, 0.01],
    ] as const) {
      for (const p2 of [0, 0.001, 0.009, 0.05, 0.2]) {
        let alarms = 0
        let k1 = 0
        for (let k2 = 0; k2 <= n2; k2++) {
          const chance = exactly(k2, n2, p2)
          if (chance < 1e-11) continue
          k1 = Math.max(0, k1 - 3)
          while (k1 <= n1 && leastDifference(k1, n1, k2, n2, alpha) <= allowed) k1++
          alarms += chance * atLeast(k1, n1, p2 + allowed)
        }
        expect(alarms, `${p2}`).toBeLessThan(alpha)
      }
    }
  })

  it.each(sizes)('is at most a difference that is true, wrong as seldom as it says: %i and %i', (n1, n2) => {
    const fault = 0.03
    for (const beta of [0.005, 0.0006]) {
      for (const p2 of [0, 0.003, 0.009, 0.05, 0.2]) {
        let passes = 0
        let k1 = -1
        for (let k2 = 0; k2 <= n2; k2++) {
          const chance = exactly(k2, n2, p2)
          if (chance < 1e-10) continue
          k1 = Math.min(n1, k1 + 3)
          while (k1 >= 0 && mostDifference(k1, n1, k2, n2, beta) >= fault) k1--
          if (k1 >= 0) passes += chance * atMost(k1, n1, p2 + fault)
        }
        expect(passes, `${p2}`).toBeLessThan(beta)
      }
    }
  })
})

it('Numbers of hits are exceeded and missed as seldom as they should be, and the next are not', () => {
  for (const [n, p, alpha] of [
    [500, 0.1, 0.05],
    [500, 0.1, 1e-5],
    [10, 0.5, 0.01],
    [100, 0.01, 1e-4],
  ] as const) {
    const high = rarelyExceeded(n, p, alpha)
    expect(atLeast(high + 1, n, p)).toBeLessThanOrEqual(alpha)
    expect(atLeast(high, n, p)).toBeGreaterThan(alpha)
    const low = rarelyMissed(n, p, alpha)
    expect(atMost(low - 1, n, p)).toBeLessThanOrEqual(alpha)
    expect(atMost(low, n, p)).toBeGreaterThan(alpha)
  }
  expect([rarelyExceeded(10, 0, 0.1), rarelyExceeded(10, 1, 0.1), rarelyMissed(10, 0, 0.1), rarelyMissed(10, 1, 0.1)]).toEqual([
    0, 10, 0, 10,
  ])
})

describe('a design effect', () => {
  const ofCounts = (hits: number[], each: number) => {
    const trials = hits.length * each
    const rate = hits.reduce((sum, number) => sum + number, 0) / trials
    return designEffect(
      hits.map((number) => (number - rate * each) / trials),
      (rate * (1 - rate)) / trials,
    )
  }

  it('is the size of a block where all in a block hit or none', () => {
    expect(ofCounts([100, 0, 0, 100, 0, 0, 0, 0, 0, 0], 100)).toBeCloseTo(100 * (10 / 9), 8)
  })

  it('is 1 where hits are spread evenly, there are none, or nothing but hits, or a single block', () => {
    for (const hits of [[5, 5, 5, 5, 5], [0, 0, 0, 0, 0], [100, 100, 100, 100, 100], [7]]) expect(ofCounts(hits, 100)).toBe(1)
    expect(designEffect([Number.NaN, Number.NaN], Number.NaN)).toBe(1)
  })
})

it.each([
  [3.841, 1, 0.05],
  [18.307, 10, 0.05],
  [43.82, 19, 0.001],
  [1.145, 5, 0.95],
])('Chi-squared is %f or more, with %i degrees of freedom, as often as in the tables', (x, freedom, published) => {
  expect(Math.abs(chiSquaredTail(x, freedom) / published - 1)).toBeLessThan(0.06)
})

describe('an always valid interval', () => {
  it('has at its ends a likelihood that has grown as little as it may', () => {
    const [low, high] = alwaysValidInterval(49, 490, 0.05)
    for (const p of [low, high]) expect(491 * (atLeast(49, 490, p) - atLeast(50, 490, p))).toBeCloseTo(0.05, 6)
    expect([low, high].map((p) => Number(p.toFixed(3)))).toEqual([0.059, 0.155])
  })

  it('knows nothing before the first request, and no end beyond all', () => {
    expect(alwaysValidInterval(0, 0, 0.05)).toEqual([0, 1])
    expect(alwaysValidInterval(0, 100, 0.05)[0]).toBe(0)
    expect(alwaysValidInterval(100, 100, 0.05)[1]).toBe(1)
  })

  it('has the truth in it at every one of 500 looks, 95 times in 100', () => {
    const random = seeded(3)
    let ever = 0
    for (let run = 0; run < 200; run++) {
      let hits = 0
      for (let n = 1; n <= 500; n++) {
        if (random() < 0.1) hits++
        // The interval itself would take longer: the truth is in it where its likelihood is.
        if ((n + 1) * (atLeast(hits, n, 0.1) - atLeast(hits + 1, n, 0.1)) <= 0.05) {
          ever++
          break
        }
      }
    }
    expect(ever).toBeLessThan(0.05 * 200)
    expect(ever).toBeGreaterThan(0)
  })
})

describe('the ranks that bound a quantile', () => {
  // Wilks 1941: so many values it takes for the largest, the second and the third to be an upper bound.
  it.each([
    [59, 59],
    [93, 92],
    [124, 122],
  ])('are those of Wilks: of %i values the one of rank %i is above the p95', (n, rank) => {
    expect(quantileRanks(n, 0.95, 0.05)[1]).toBe(rank)
    expect(quantileRanks(n - 1, 0.95, 0.05)[1]).not.toBe(rank - 1)
  })

  it('are missing where there are too few values', () => {
    expect(quantileRanks(58, 0.95, 0.05)[1]).toBeUndefined()
    expect(quantileRanks(148, 0.95, 0.0005)[1]).toBeUndefined()
    expect(quantileRanks(149, 0.95, 0.0005)[1]).toBe(149)
    expect(quantileRanks(2, 0.95, 0.0005)[0]).toBeUndefined()
    expect(quantileRanks(3, 0.95, 0.0005)[0]).toBe(1)
  })

  it('are the closest that are right often enough', () => {
    for (const n of [30, 49, 500]) {
      const [low = 0] = quantileRanks(n, 0.95, 0.0005)
      expect(atMost(low - 1, n, 0.95)).toBeLessThanOrEqual(0.0005)
      expect(atMost(low, n, 0.95)).toBeGreaterThan(0.0005)
    }
  })
})
