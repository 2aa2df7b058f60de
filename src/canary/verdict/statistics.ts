export type Interval = readonly [low: number, high: number]

/** ln n!: the sum itself where it is short, else Stirling's series (DLMF 5.11.1), then good to 11 digits. */
function logFactorial(n: number): number {
  if (n >= 16)
    return (n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * n) - 1 / (360 * n ** 3) + 1 / (1260 * n ** 5)
  let sum = 0
  for (let i = 2; i <= n; i++) sum += Math.log(i)
  return sum
}

function exactly(k: number, n: number, p: number): number {
  if (p <= 0 || p >= 1) return k === n * p ? 1 : 0
  return Math.exp(logFactorial(n) - logFactorial(k) - logFactorial(n - k) + k * Math.log(p) + (n - k) * Math.log1p(-p))
}

/** The probability of `k` or more hits in `n` trials that each hit with probability `p`. */
export function atLeast(k: number, n: number, p: number): number {
  if (k <= 0) return 1
  if (k > n || p <= 0) return 0
  if (p >= 1) return 1
  // From the mean on, terms only shrink: on the other side of it, the complement is summed.
  if (k <= n * p) return 1 - atLeast(n - k + 1, n, 1 - p)
  let term = exactly(k, n, p)
  let sum = term
  for (let i = k; i < n && term > sum * Number.EPSILON; i++) {
    term *= ((n - i) / (i + 1)) * (p / (1 - p))
    sum += term
  }
  return sum
}

/** The probability of `k` or fewer hits in `n` trials that each hit with probability `p`. */
export const atMost = (k: number, n: number, p: number): number => atLeast(n - k, n, 1 - p)

/** The probability that the number of hits is `distance` or more away from its mean `n * p`, on either side. */
export function farFromMean(distance: number, n: number, p: number): number {
  // What is a whole number on paper may be a hair off in floating point.
  const hair = 1e-9 * n
  return Math.min(1, atMost(Math.floor(n * p - distance + hair), n, p) + atLeast(Math.ceil(n * p + distance - hair), n, p))
}

/**
 * The least that the share behind `k` hits in `n` trials may be, wrong with at most the probability `alpha`, whatever the share
 * (Clopper and Pearson 1934).
 */
export function leastShare(k: number, n: number, alpha: number): number {
  let low = 0
  let high = k / n
  for (let halving = 0; halving < 40; halving++) {
    const middle = (low + high) / 2
    if (atLeast(k, n, middle) < alpha) low = middle
    else high = middle
  }
  return low
}

/**
 * The least by which the share behind `k1` of `n1` exceeds the one behind `k2` of `n2`, wrong with at most the probability `alpha`:
 * the hybrid of the two shares' own bounds (Newcombe 1998, method 10; Zou and Donner 2008). Those are the exact ones here, because with
 * Wilson's, at a few dozen replies and rare errors, a bound meant to be wrong once in 1000 is wrong up to 20 times.
 */
export function leastDifference(k1: number, n1: number, k2: number, n2: number, alpha: number): number {
  const [p1, p2] = [k1 / n1, k2 / n2]
  const low = leastShare(k1, n1, alpha)
  const high = 1 - leastShare(n2 - k2, n2, alpha)
  return p1 - p2 - Math.hypot(p1 - low, high - p2)
}

/** The most by which the share behind `k1` of `n1` exceeds the one behind `k2` of `n2`: the least of the difference the other way. */
export const mostDifference = (k1: number, n1: number, k2: number, n2: number, alpha: number): number =>
  -leastDifference(k2, n2, k1, n1, alpha)

/** The smallest number of hits in `n` trials that is exceeded with at most the probability `alpha`. */
export function rarelyExceeded(n: number, p: number, alpha: number): number {
  let [low, high] = [-1, n]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (atLeast(middle + 1, n, p) <= alpha) high = middle
    else low = middle
  }
  return high
}

/** The largest number of hits in `n` trials that is missed with at most the probability `alpha`. */
export const rarelyMissed = (n: number, p: number, alpha: number): number => n - rarelyExceeded(n, 1 - p, alpha)

/**
 * By how much more an estimate varies than it would with independent trials, at least 1: the variance between blocks in time, over the
 * one expected of as many independent trials. Counts divided by it may be judged as if trials were independent (Rao and Scott,
 * Biometrics 48, 1992).
 * @param deviations what each block adds to the estimate's deviation; they add up to 0
 * @param variance of the estimate, were the trials independent
 */
export function designEffect(deviations: number[], variance: number): number {
  const blocks = deviations.length
  if (blocks < 2 || !(variance > 0)) return 1
  const sum = deviations.reduce((total, deviation) => total + deviation ** 2, 0)
  return Math.max(1, (sum * blocks) / (blocks - 1) / variance)
}

/** About the probability that a chi-squared variable is `x` or more (Wilson and Hilferty 1931). */
export function chiSquaredTail(x: number, freedom: number): number {
  const spread = 2 / (9 * freedom)
  return normalTail(((x / freedom) ** (1 / 3) - (1 - spread)) / Math.sqrt(spread))
}

/** About the probability that a standard normal variable is `z` or more (Abramowitz and Stegun 26.2.17). */
function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z)
  const t = 1 / (1 + 0.2316419 * z)
  const polynomial = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial
}

/**
 * Where the true share lies if `k` of `n` trials hit, whenever and however often one looks: with the probability `alpha`, it is ever
 * outside. Those shares at which the likelihood, mixed evenly over all shares, has not grown by 1/alpha (Robbins 1970; Ville 1939).
 */
export function alwaysValidInterval(k: number, n: number, alpha: number): Interval {
  if (n === 0) return [0, 1]
  const isIn = (p: number) => (n + 1) * exactly(k, n, p) > alpha
  const bound = (outside: number) => {
    if (k / n === outside) return outside
    let inside = k / n
    for (let halving = 0; halving < 40; halving++) {
      const middle = (inside + outside) / 2
      if (isIn(middle)) inside = middle
      else outside = middle
    }
    return inside
  }
  return [bound(0), bound(1)]
}

/**
 * Which of `n` values, sorted and counted from 1, bound the `q` quantile they were drawn from, each with at most the probability
 * `alpha` to be wrong, whatever the distribution (David and Nagaraja, Order Statistics, 7.1). A bound that so few values cannot give
 * is undefined.
 */
export function quantileRanks(n: number, q: number, alpha: number): [low: number | undefined, high: number | undefined] {
  const [low, high] = [rarelyMissed(n, q, alpha), rarelyExceeded(n, q, alpha) + 1]
  return [low > 0 ? low : undefined, high <= n ? high : undefined]
}
