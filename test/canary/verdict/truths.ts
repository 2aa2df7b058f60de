import { parseExpectation } from '../../../src/canary/verdict/expectation.ts'
import type { Verdict } from '../../../src/canary/verdict/gate.ts'
import { type Limits, plan } from '../../../src/canary/verdict/plan.ts'
import { seeded } from '../../seeded.ts'
import { limits } from './samples.ts'
import { simulateCheck, type Truth } from './simulate.ts'

/** Log-normal, in milliseconds: half of the replies are above the median, and one in twenty above twice that. */
const around = (median: number) => (random: () => number) =>
  median * 2 ** ((Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())) / 1.645)

const healthyLatency = { stable: around(20), canary: around(20) }

/** By how much a share is off where that must not pass. */
const off = (share: number) => Math.min(limits.tolerance, share / 2)

/** What may be true while a share is configured for canary. */
export const truths = {
  healthy: {
    'nothing is wrong, the gateway spreads evenly': (share) => ({ share, spreading: 'even' }),
    'nothing is wrong, the gateway draws at random': (share) => ({ share, spreading: 'random' }),
    'nothing is wrong, the gateway keeps connections': (share) => ({ share, spreading: 'sticky' }),
    'both fail 0.5 %': (share) => ({ share, spreading: 'random', stableErrors: 0.005, canaryErrors: 0.005 }),
    'canary fails 1 point more, all of them 1 %': (share) => ({
      share,
      spreading: 'random',
      stableErrors: 0.01 - share * 0.01,
      canaryErrors: 0.02 - share * 0.01,
    }),
    'both fail for 50 ms every 10 s': (share) => ({ share, spreading: 'random', bursts: { ms: 50, every: 10_000, of: 'both' } }),
    'canary fails for 50 ms every 10 s': (share) => ({
      share,
      spreading: 'random',
      bursts: { ms: 50, every: 10_000, of: 'canary' },
    }),
  },
  between: {
    'canary fails 2 %': (share) => ({ share, spreading: 'random', canaryErrors: 0.02 }),
  },
  faulty: {
    'canary fails 3 %': (share) => ({ share, spreading: 'random', canaryErrors: 0.03 }),
    'canary fails 5 %': (share) => ({ share, spreading: 'random', canaryErrors: 0.05 }),
    'canary fails 10 %': (share) => ({ share, spreading: 'random', canaryErrors: 0.1 }),
    'canary fails 20 %': (share) => ({ share, spreading: 'random', canaryErrors: 0.2 }),
    'canary fails 50 %': (share) => ({ share, spreading: 'random', canaryErrors: 0.5 }),
    'both fail for 100 ms every 0.5 s': (share) => ({ share, spreading: 'random', bursts: { ms: 100, every: 500, of: 'both' } }),
    "canary's Service is missing": (share) => ({ share, spreading: 'random', isMissing: true }),
    'canary gets nothing': () => ({ share: 0, spreading: 'random' }),
    'canary gets 5 points too many, or half of its share': (share) => ({ share: share + off(share), spreading: 'random' }),
    'canary gets as much too few': (share) => ({ share: share - off(share), spreading: 'random' }),
    'canary gets 10 points too many': (share) => ({ share: share + 0.1, spreading: 'random' }),
  },
  healthyLatency: {
    'both are equally fast': (share) => ({ share, spreading: 'random', latency: healthyLatency }),
    'both pause for 200 ms every 10 s': (share) => ({
      share,
      spreading: 'random',
      latency: healthyLatency,
      pauses: { ms: 200, every: 10_000, of: 'both' },
    }),
    'both pause for 2 s every 20 s': (share) => ({
      share,
      spreading: 'random',
      latency: healthyLatency,
      pauses: { ms: 2000, every: 20_000, of: 'both' },
    }),
    'both stall at random, for 100 ms in each second': (share) => ({
      share,
      spreading: 'random',
      latency: healthyLatency,
      pauses: { ms: 100, every: 1000, of: 'both', areRandom: true },
    }),
    'canary is slower by 20 ms': (share) => ({
      share,
      spreading: 'random',
      latency: { ...healthyLatency, canary: (random) => around(20)(random) + 20 },
    }),
  },
  faultyLatency: {
    'one in seven of canary takes 100 ms more': (share) => ({
      share,
      spreading: 'random',
      latency: { ...healthyLatency, canary: (random) => around(20)(random) + (random() < 1 / 7 ? 100 : 0) },
    }),
    'one in seven takes 500 ms more, and both stall at random': (share) => ({
      share,
      spreading: 'random',
      latency: { ...healthyLatency, canary: (random) => around(20)(random) + (random() < 1 / 7 ? 500 : 0) },
      pauses: { ms: 100, every: 1000, of: 'both', areRandom: true },
    }),
    'canary is slower by 50 ms': (share) => ({
      share,
      spreading: 'random',
      latency: { ...healthyLatency, canary: (random) => around(20)(random) + 50 },
    }),
    'canary is three times as slow': (share) => ({
      share,
      spreading: 'random',
      latency: { ...healthyLatency, canary: around(60) },
    }),
  },
} satisfies Record<string, Record<string, (share: number) => Truth>>

/** What so many simulated checks came to, and what they cost. */
export interface Rates extends Record<Verdict, number> {
  readonly mean: number
  /** More than this took one in twenty. */
  readonly p95: number
}

export function ratesOf(share: number, truth: Truth, checks: number, some: Partial<Limits> = {}): Rates {
  const expectation = parseExpectation(`stable=${1 - share},canary=${share}`)
  const planned = plan(expectation, { ...limits, ...some })
  const random = seeded(1)
  const verdicts = { PASS: 0, FAIL: 0, INCONCLUSIVE: 0 }
  const sizes: number[] = []
  for (let check = 0; check < checks; check++) {
    const { verdict, requests } = simulateCheck(truth, expectation, planned, random)
    verdicts[verdict]++
    sizes.push(requests)
  }
  sizes.sort((a, b) => a - b)
  const mean = sizes.reduce((sum, size) => sum + size, 0) / checks
  return { ...verdicts, mean, p95: sizes[Math.ceil(0.95 * checks) - 1] as number }
}
