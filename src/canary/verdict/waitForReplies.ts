import { Interrupted } from '../errors.ts'
import { type Outcome, Sample } from '../sampling/sample.ts'
import { takeSample } from '../sampling/takeSample.ts'
import { type Target, VersionClient } from '../sampling/versionClient.ts'
import { type Expectation, findExpected, whyUntold } from './expectation.ts'
import { isSticky } from './isSticky.ts'
import { isSilent } from './notAsked.ts'
import { withoutRefused } from './rateLimit.ts'
import { farFromMean } from './statistics.ts'

const LOOK = { requests: 200, rate: 400 }
/** In a row: a gateway may consist of several, of which one follows later. */
const LOOKS = 2

/**
 * Waits until replies come as they should.
 * @param rate requests a second on average, at most
 * @param onOutcome called with what becomes of each request
 * @returns when the first of those was asked for, on the clock of `performance.now`; undefined when time was up before, or replies do not tell
 */
export async function waitForReplies(
  target: Target,
  expectation: Expectation,
  patienceMs: number,
  signal: AbortSignal,
  rate = LOOK.rate,
  onOutcome?: (outcome: Outcome) => void,
): Promise<number | undefined> {
  let client = new VersionClient(target)
  const until = performance.now() + patienceMs
  let since = 0
  try {
    for (let agreeing = 0; agreeing < LOOKS; ) {
      const sample = new Sample()
      const startedAt = performance.now()
      const pace = { requests: LOOK.requests, rate: Math.min(rate, LOOK.rate) }
      await takeSample(client, pace, sample, isSilent, signal, onOutcome)
      if (signal.aborted) throw new Interrupted()
      if (whyUntold(expectation, sample.sources)) return undefined
      if (agreesWith(sample, expectation)) {
        if (agreeing++ === 0) since = startedAt
      } else {
        agreeing = 0
        if (isSticky(sample, expectation, true)) {
          await client.close()
          client = new VersionClient({ ...target, areFresh: true })
        }
      }
      if (agreeing === 0 && performance.now() > until) return undefined
    }
    return since
  } finally {
    await client.close()
  }
}

/** How often a sample of the right split is taken for one of the old split; then another is taken. */
const MISSED = 0.05

/**
 * Whether a sample looks like a split, as far as stable's share and its version tell: what becomes of canary's share is for the gates
 * to judge.
 */
export function agreesWith(sample: Sample, expectation: Expectation): boolean {
  const { requests, sources } = withoutRefused(sample)
  const isStable = (role: string | undefined) => role === 'stable'
  const stable = expectation.find(({ role }) => isStable(role))
  const right = sources
    .filter((source) => findExpected(expectation, source) === stable)
    .reduce((sum, { replies }) => sum + replies, 0)
  const wrong = sources.some((source) => isStable(source.role) && findExpected(expectation, source) !== stable)
  const share = stable?.share ?? 0
  if (wrong || requests === 0) return false
  if (share === 0 || share === 1) return right === share * requests
  return farFromMean(Math.abs(right - share * requests), requests, share) >= MISSED
}
