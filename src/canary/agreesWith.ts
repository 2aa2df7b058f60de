import { type Expectation, findExpected } from './expectation.ts'
import type { Sample } from './sample.ts'
import { farFromMean } from './statistics.ts'

/** How often a sample of the right split is taken for one of the old split; then another is taken. */
const ALPHA = 0.05

/**
 * Whether a sample looks like a split, as far as stable's share and its version tell: what becomes of canary's share is for the gates
 * to judge.
 */
export function agreesWith(sample: Sample, expectation: Expectation): boolean {
  const { requests, sources } = sample
  const isStable = (role: string | undefined) => role === 'stable'
  const stable = expectation.find(({ role }) => isStable(role))
  const right = sources
    .filter((source) => findExpected(expectation, source) === stable)
    .reduce((sum, { replies }) => sum + replies, 0)
  const wrong = sources.some((source) => isStable(source.role) && findExpected(expectation, source) !== stable)
  const share = stable?.share ?? 0
  if (wrong || requests === 0) return false
  if (share === 0 || share === 1) return right === share * requests
  return farFromMean(Math.abs(right - share * requests), requests, share) >= ALPHA
}
