import { whole } from '../format.ts'
import { Sample } from '../sampling/sample.ts'
import { type Expectation, rolesOf } from './expectation.ts'
import { requireCounts, requirePlannable } from './requireNumbers.ts'
import { atLeast, atMost, mostDifference, quantileRanks, rarelyExceeded, rarelyMissed } from './statistics.ts'

/** How often, at most, a command fails where nothing is wrong: once in 1000. */
export const ALPHA = 0.001

/** How often, at most, a command passes where something is as wrong as must not pass: once in 100. */
export const BETA = 0.01

/**
 * By how much more of canary's replies than of stable's may be slower than stable's 95th percentile and what is allowed: of stable's,
 * those are 5 % at most, and of canary's as well where its 95th percentile is as allowed.
 */
export const SLOW_ALLOWED = 0.05
/** The same that must not pass: of canary's, those are then 15 %, instead of 5 %. */
export const SLOW_DETECTED = 0.1

/** What is allowed, and what must not pass. Rates and shares are from 0 to 1. */
export interface Limits {
  readonly maxErrorRate: number
  /** By how much canary's error rate may exceed stable's. */
  readonly maxErrorIncrease: number
  /** By how much canary's error rate must not exceed stable's, nor that of all requests the one allowed; more than the above. */
  readonly detect: number
  /** How far off a share must not be; of a small one, half of it. */
  readonly tolerance: number
  readonly maxP95IncreaseMs: number
  /** The split alone is judged, of a fixed number of requests, and a share outside the tolerance fails even where chance may explain it. */
  readonly strict: boolean
}

/** When the sample, as far as it has come, is judged, and how often each comparison may then be wrong. */
export interface Look {
  readonly requests: number
  /** To fail what is as it should be. */
  readonly alpha: number
  /** To pass what is as wrong as must not pass; 0 where it is too early to pass anything. */
  readonly beta: number
}

/** What is decided before the first request. */
export interface Plan {
  readonly expectation: Expectation
  readonly limits: Limits
  readonly looks: readonly Look[]
  /** Real traffic's split is not judged: see docs/verdict.md. */
  readonly isTraffic: boolean
  /** How many requests it takes where nothing is wrong, as a rule. */
  readonly usual: number
  /** With how many, independent of each other, one of PASS and FAIL is certain. Looks beyond are for errors that come in bursts. */
  readonly enough: number
}

/** The first look comes after so many, or up to twice as many. */
const FIRST_LOOK = 50
/** Looks after the one that should be the last, where errors come in bursts: each of them doubles the sample. */
const RESERVE = 2
/** How often chance may keep a sample without any fault from passing at the first look that may pass. */
const UNLUCKY = 0.05

/** How long is asked at most, once there were as many requests as it takes as a rule. */
export const MOST_MS = 120_000

/** More requests than this nobody asks for. */
export const MOST = 10_000_000

/** What a plan depends on. */
interface Design {
  readonly limits: Limits
  /** Those that are to be met by chance. */
  readonly shares: readonly number[]
  readonly hasUnwanted: boolean
  /** Of canary and stable, where both are to get requests. */
  readonly pair: readonly [canary: number, stable: number] | undefined
}

/**
 * Plans a sample that is judged at several looks, each twice as large as the one before, until one of two boundaries is crossed (group
 * sequential: Jennison and Turnbull, Group Sequential Methods, 2000, with an error budget that is spent over the looks, as of Lan and
 * DeMets 1983). The budgets are added up and so hold whatever depends on what (Bonferroni): FAIL where nothing is wrong once in
 * 1000, over all steps, looks and comparisons; PASS of a fault once in 100, over all looks: each comparison has to pass, and each step.
 * The last look is so large that, where nothing is wrong, what it leaves open may count as a FAIL within the same budget.
 * @param requests the most; where they are not enough, what is left open stays open
 * @param steps how often the whole command judges
 * @param isTraffic whether it is real traffic that is judged, of which more and more comes, until time is up
 * @throws {TypeError} where a share, a limit or the size is not a number of its kind
 * @throws {RangeError} where limits contradict each other, which the command line refuses before
 */
export function plan(
  expectation: Expectation,
  limits: Limits,
  { requests = MOST, steps = 1, isTraffic = false }: { requests?: number | undefined; steps?: number; isTraffic?: boolean } = {},
): Plan {
  requirePlannable(expectation, limits)
  requireCounts({ 'the number of requests': requests })
  const { detect, maxErrorIncrease } = limits
  if (detect <= maxErrorIncrease)
    throw new RangeError(`what must not pass (${detect}) must be more than what is allowed (${maxErrorIncrease})`)
  if (limits.strict)
    return {
      expectation,
      limits,
      looks: [{ requests, alpha: ALPHA / 2, beta: BETA }],
      isTraffic,
      usual: requests,
      enough: requests,
    }
  const design = designOf(expectation, limits, isTraffic)
  const usual = usualSize(expectation, limits, isTraffic)
  const reserved = isTraffic ? Math.max(RESERVE, Math.ceil(Math.log2(MOST / usual))) : RESERVE
  const early = halves(Math.min(usual, 2 * requests))

  const comparisons = 1 + Number(design.shares.length > 0) + (design.pair ? 2 : 0)
  const betaOf = (late: number) => BETA / 2 ** (late + 1)
  // One more than there are looks: what the last one leaves open. Of traffic, two more: when it is time, and when patience is over.
  const alphaOf = (late: number) => ALPHA / steps / comparisons / (early.length + late + 1 + reserved + (isTraffic ? 3 : 1))
  const decides = (late: number) => (n: number) => isDecisive(design, n, alphaOf(late), betaOf(late))
  const sizeOf = (late: number) => usual * 2 ** late
  let last = 0
  while (sizeOf(last) < requests && !decides(last)(sizeOf(last))) last++
  const isKnown = sizeOf(last) <= MOST && decides(last)(sizeOf(last))
  let enough = Number.POSITIVE_INFINITY
  if (isKnown) enough = last === 0 ? usual : smallest(10, decides(last), sizeOf(last - 1))

  const late = Array.from({ length: last }, (_, index) => sizeOf(index))
  const reserve = Array.from({ length: reserved + 1 }, (_, index) => (isKnown ? enough : sizeOf(last)) * 2 ** index)
  const sizes = [...early, ...late, ...reserve]
  const looks = sizes.map((size, index) => ({
    requests: size,
    alpha: alphaOf(last),
    beta: index < early.length ? 0 : betaOf(index - early.length),
  }))
  return endingAt({ expectation, limits, looks, isTraffic, usual, enough }, requests)
}

/** Looks before one of this size, each half as large as the next. */
function halves(size: number): number[] {
  const sizes: number[] = []
  for (let half = size / 2; half >= FIRST_LOOK; half /= 2) sizes.unshift(Math.ceil(half))
  return sizes
}

/** How many requests it takes where nothing is wrong, as a rule; infinitely many are more than anybody asks for. */
export function usualSize(expectation: Expectation, limits: Limits, isTraffic = false): number {
  const design = designOf(expectation, limits, isTraffic)
  return mayPass(design, MOST, BETA / 2) ? smallest(10, (n) => mayPass(design, n, BETA / 2)) : Number.POSITIVE_INFINITY
}

/** What `usualSize` says, for people. */
export const sizeText = (usual: number): string => (Number.isFinite(usual) ? whole(usual) : `more than ${whole(MOST)}`)

/** A plan whose last look comes after so many requests at most, with the budget of the one that would have been next. */
export function endingAt(plan: Plan, requests: number): Plan {
  const next = plan.looks.find((look) => look.requests >= requests)
  return next ? { ...plan, looks: [...plan.looks.filter((look) => look.requests < requests), { ...next, requests }] } : plan
}

function designOf(expectation: Expectation, limits: Limits, isTraffic: boolean): Design {
  const roles = rolesOf(expectation, new Sample())
  const shareOf = (role: 'canary' | 'stable') => expectation[roles.indexOf(role)]?.share ?? 0
  const [canary, stable] = [shareOf('canary'), shareOf('stable')]
  const between = isTraffic ? [] : expectation.map(({ share }) => share).filter((share) => share > 0 && share < 1)
  return {
    limits,
    // Of two, one follows from the other.
    shares: between.length === 2 ? between.slice(1) : between,
    hasUnwanted: !isTraffic && expectation.some(({ share }) => share === 0),
    pair: canary > 0 && stable > 0 ? [canary, stable] : undefined,
  }
}

/** How far off a share must not be. */
export const offBy = (expectation: Expectation, { tolerance }: Limits): number =>
  Math.min(tolerance, ...expectation.filter(({ share }) => share > 0).map(({ share }) => share / 2))

/** The bounds by which a comparison passes, each wrong with at most the probability `beta`. */
export const passes = {
  availability: (errors: number, requests: number, { maxErrorRate, detect }: Limits, beta: number): boolean =>
    maxErrorRate + detect > 1 || atMost(errors, requests, maxErrorRate + detect) <= beta,
  share: (replies: number, of: number, share: number, off: number, beta: number): boolean =>
    (share + off >= 1 || atMost(replies, of, share + off) <= beta) &&
    (share - off <= 0 || atLeast(replies, of, share - off) <= beta),
  unwanted: (of: number, { detect }: Limits, beta: number): boolean => atMost(0, of, Math.min(1, detect)) <= beta,
  increase: (canary: number, ofCanary: number, stable: number, ofStable: number, detect: number, beta: number): boolean =>
    detect > 1 || (ofCanary > 0 && ofStable > 0 && mostDifference(canary, ofCanary, stable, ofStable, beta) < detect),
}

/**
 * Two of stable's latencies, by rank, that its 95th percentile lies between, each wrong with at most a quarter of the probability `error`:
 * the rest is for the comparison of what is slower.
 */
export function ranksAround(ofStable: number, error: number): readonly [low: number, high: number] | undefined {
  const [low, high] = quantileRanks(ofStable, 0.95, error / 4)
  return low === undefined || high === undefined ? undefined : [low, high]
}

/** Whether a sample of this size in which nothing is wrong would pass, unless the gateway's draws are unlucky. */
function mayPass({ limits, shares, hasUnwanted, pair }: Design, n: number, beta: number): boolean {
  const [ofCanary, ofStable] = (pair ?? []).map((share) => rarelyMissed(n, share, UNLUCKY))
  return (
    passes.availability(0, n, limits, beta) &&
    (!hasUnwanted || passes.unwanted(n, limits, beta)) &&
    sharesPass(shares, limits, n, UNLUCKY, beta) &&
    (ofCanary === undefined ||
      ofStable === undefined ||
      (passes.increase(0, ofCanary, 0, ofStable, limits.detect, beta) &&
        passes.increase(0, ofCanary, 0, ofStable, SLOW_DETECTED, beta / 2) &&
        ranksAround(ofStable, beta) !== undefined))
  )
}

function sharesPass(shares: readonly number[], { tolerance }: Limits, n: number, unlucky: number, beta: number): boolean {
  const off = Math.min(tolerance, ...shares.map((share) => Math.min(share, 1 - share) / 2))
  return shares.every((share) =>
    [rarelyMissed(n, share, unlucky / 2), rarelyExceeded(n, share, unlucky / 2)].every((replies) =>
      passes.share(replies, n, share, off, beta),
    ),
  )
}

/** Whether a sample of this size in which nothing is worse than allowed passes, but with the probability `alpha` for each comparison. */
function isDecisive({ limits, shares, pair }: Design, n: number, alpha: number, beta: number): boolean {
  const { maxErrorRate, maxErrorIncrease } = limits
  if (!passes.availability(rarelyExceeded(n, maxErrorRate, alpha), n, limits, beta)) return false
  if (!sharesPass(shares, limits, n, alpha / Math.max(1, shares.length), beta)) return false
  if (!pair) return true
  // A part for each number that chance may make bad: two of replies, two of errors or of slow replies.
  const part = alpha / 4
  const [ofCanary, ofStable] = pair.map((share) => rarelyMissed(n, share, part)) as [number, number]
  // Errors vary most at the highest rates that are allowed.
  const rate = Math.max(0, Math.min(maxErrorRate - pair[0] * maxErrorIncrease, (1 - maxErrorIncrease) / 2))
  const canary = rarelyExceeded(ofCanary, Math.min(1, rate + maxErrorIncrease), part)
  const stable = rarelyMissed(ofStable, rate, part)
  if (!passes.increase(canary, ofCanary, stable, ofStable, limits.detect, beta)) return false
  const rank = ranksAround(ofStable, beta)?.[0]
  if (rank === undefined) return false
  const slow = 1 - surelyBelow(rank, ofStable, part)
  return passes.increase(rarelyExceeded(ofCanary, slow, part), ofCanary, 0, ofStable, SLOW_DETECTED, beta / 2)
}

/** The quantile above which a rank lies, but with the probability `alpha`. */
function surelyBelow(rank: number, n: number, alpha: number): number {
  let [low, high] = [0, 1]
  for (let halving = 0; halving < 30; halving++) {
    const middle = (low + high) / 2
    if (atLeast(rank, n, middle) <= alpha) low = middle
    else high = middle
  }
  return low
}

/** The first multiple of a step above `from` that is enough; exact probabilities rise and fall a little from one to the next, which it passes over. */
function smallest(step: number, isEnough: (n: number) => boolean, from = 0): number {
  let low = Math.floor(from / step)
  let size = 1
  while (!isEnough((low + size) * step)) {
    low += size
    size *= 2
  }
  let high = low + size
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (isEnough(middle * step)) high = middle
    else low = middle
  }
  return high * step
}
