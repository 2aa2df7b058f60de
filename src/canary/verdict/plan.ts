import type { Expectation } from './expectation.ts'
import { requireCounts, requirePlannable } from './requireNumbers.ts'
import { atMost, farFromMean } from './statistics.ts'

/** How often, at most, a comparison may find a fault where there is none: once in 1000. */
export const ALPHA = 0.001

/** Good replies that it takes from canary and from stable to compare them. */
export const FEWEST_REPLIES = 30

/** How often errors at the highest rate allowed would not show at all in the smallest sample that may pass. */
const UNSEEN = 0.05

/** What is allowed. Rates and shares are from 0 to 1. */
export interface Limits {
  readonly maxErrorRate: number
  /** How far a share may be from the expected one. */
  readonly tolerance: number
  /** By how much canary's error rate may exceed stable's. */
  readonly maxErrorIncrease: number
  readonly maxP95IncreaseMs: number
  /** A share outside the tolerance fails even where chance may explain it. */
  readonly strict: boolean
}

/** What is decided before the first request. */
export interface Plan {
  readonly expectation: Expectation
  readonly limits: Limits
  /** The size of the sample. */
  readonly requests: number
  /** The sizes with which two of the gates may pass. */
  readonly needed: { readonly availability: number; readonly split: number }
  /** How often, at most, a single share may be found wrong though it is right. */
  readonly splitAlpha: number
}

/**
 * Plans a sample, by default one so large that errors at a rate above the limit would show (299 requests for 1 %), that a gateway
 * which draws at random with the right weights stays within the tolerance, and that canary and stable send enough replies to be
 * compared; the last two each but for once in 1000.
 * @throws {TypeError} where a share, a limit or the size is not a number of its kind
 */
export function plan(expectation: Expectation, limits: Limits, requests?: number): Plan {
  requirePlannable(expectation, limits)
  if (requests !== undefined) requireCounts({ 'the size of the sample': requests })
  const { maxErrorRate, tolerance, strict } = limits
  // Shares of 0 and 1 are exact; of two others, one follows from the other.
  const shares = expectation.map(({ share }) => share).filter((share) => share > 0 && share < 1)
  const splitAlpha = ALPHA / (shares.length > 2 ? shares.length : 1)

  const availability = Math.ceil(Math.log(UNSEEN) / Math.log1p(-maxErrorRate))
  const split = smallest((n) => shares.every((share) => strays(n, share, tolerance) <= splitAlpha))
  const health = smallest((n) => shares.every((share) => atMost(FEWEST_REPLIES - 1, n, share) <= ALPHA))
  const size = requests ?? Math.max(availability, split, health)
  return {
    expectation,
    limits,
    requests: size,
    needed: { availability: Math.max(size, availability), split: strict ? size : Math.max(size, split) },
    splitAlpha,
  }
}

/** The probability that chance alone brings a share outside the tolerance; at the very edge, it is still within. */
const strays = (n: number, share: number, tolerance: number) => farFromMean((tolerance + 1e-8) * n, n, share)

/** The first of 10, 20, 30, … that is enough; exact probabilities rise and fall a little from one to the next, which it passes over. */
function smallest(isEnough: (n: number) => boolean): number {
  let [low, high] = [0, 1]
  while (!isEnough(high * 10)) [low, high] = [high, high * 2]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (isEnough(middle * 10)) high = middle
    else low = middle
  }
  return high * 10
}
