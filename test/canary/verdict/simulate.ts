import type { RecordableHistogram } from 'node:perf_hooks'
import { Counts, emptyLatency, Sample } from '../../../src/canary/sampling/sample.ts'

/** How many of `n` trials hit, each with probability `p`. It jumps from hit to hit. */
export function binomial(n: number, p: number, random: () => number): number {
  if (p > 0.5) return n - binomial(n, 1 - p, random)
  if (p === 0) return 0
  let hits = 0
  for (let trial = -1; ; hits++) {
    trial += 1 + Math.floor(Math.log(1 - random()) / Math.log1p(-p))
    if (trial >= n) return hits
  }
}

/** The true state of things. */
export interface Truth {
  /** Canary's true share, 0 to 1; the rest is stable's. */
  share: number
  spreading: 'even' | 'random'
  stableErrors?: number
  canaryErrors?: number
  /** The gateway answers for canary, with 500. */
  isMissing?: boolean
}

// Latency plays no part: all replies take the same. Beyond 200, it does not matter how many there are.
const latencies = Array.from({ length: 201 }, (_, count) => {
  const latency = emptyLatency()
  for (let i = 0; i < count; i++) latency.record(1000)
  return latency
})

/** What a sample of so many requests might be. */
export function simulate(requests: number, truth: Truth, random: () => number): Sample {
  const { share, spreading, stableErrors = 0, canaryErrors = 0, isMissing = false } = truth
  // An even gateway is somewhere in its cycle when the sample begins.
  const canary = spreading === 'even' ? Math.floor(requests * share + random()) : binomial(requests, share, random)
  const sample = new Sample()
  sample.requests = requests
  const answer = (role: 'stable' | 'canary', replies: number, errorRate: number) => {
    if (replies === 0) return
    const failed = binomial(replies, errorRate, random)
    const errors = new Counts(failed > 0 ? [['500', failed]] : [])
    sample.sources.push({
      version: role === 'stable' ? 'v1' : 'v2',
      role,
      replies,
      errors,
      pods: new Counts(),
      latency: latencies[Math.min(200, replies - failed)] as RecordableHistogram,
    })
  }
  answer('stable', requests - canary, stableErrors)
  if (!isMissing) answer('canary', canary, canaryErrors)
  else if (canary > 0) sample.failures.set('500 without a version', canary)
  return sample
}
