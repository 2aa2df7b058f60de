export type Interval = readonly [low: number, high: number]

const Z_95 = 1.959963984540054 // the standard normal distribution's 97.5th percentile

/** ln n!: the sum itself where it is short, else Stirling's series (DLMF 5.11.1), then good to 11 digits. */
function logFactorial(n: number): number {
  if (n >= 16)
    return (n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * n) - 1 / (360 * n ** 3) + 1 / (1260 * n ** 5)
  let sum = 0
  for (let i = 2; i <= n; i++) sum += Math.log(i)
  return sum
}

function exactly(k: number, n: number, p: number): number {
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

/** Where the true share lies, with 95 % confidence, if `k` of `n` trials hit (Wilson 1927; Brown, Cai and DasGupta 2001). */
export function wilsonInterval(k: number, n: number): Interval {
  const share = k / n
  const z2 = Z_95 ** 2 / n
  const middle = (share + z2 / 2) / (1 + z2)
  const half = (Z_95 / (1 + z2)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n))
  return [Math.max(0, middle - half), Math.min(1, middle + half)]
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

/**
 * Which of `n` values, sorted and counted from 1, bound the `q` quantile they were drawn from, each with at most the probability
 * `alpha` to be wrong, whatever the distribution (David and Nagaraja, Order Statistics, 7.1). A bound that so few values cannot give
 * is undefined.
 */
export function quantileRanks(n: number, q: number, alpha: number): [low: number | undefined, high: number | undefined] {
  let low = Math.floor(n * q)
  while (low > 0 && atMost(low - 1, n, q) > alpha) low--
  let high = Math.ceil(n * q)
  while (high <= n && atLeast(high, n, q) > alpha) high++
  return [low > 0 ? low : undefined, high <= n ? high : undefined]
}
