import { percent, whole } from '../format.ts'
import type { Sample } from '../sampling/sample.ts'
import { type Expectation, findExpected, nameOf } from '../verdict/expectation.ts'
import { ALPHA, BETA } from '../verdict/plan.ts'
import { alwaysValidInterval } from '../verdict/statistics.ts'

/** How far off a share must not be, and where one is expected to get nothing, how much it must not get. */
const [MOST_OFF, UNWANTED] = [0.05, 0.03]

const MOST_MORE = 1_000_000

/**
 * Whether the shares are as they should be, for somebody who looks all the time: by intervals that are valid at every look, a right split
 * is ever said to be wrong once in 1000 times, and a wrong one to be right once in 100.
 */
export function splitSoFar({ sources }: Sample, expectation: Expectation): { isWrong: boolean; text: string } | undefined {
  const counts = expectation.map((expected) => {
    const meant = sources.filter((source) => findExpected(expectation, source) === expected)
    return { expected, replies: meant.reduce((sum, { replies }) => sum + replies, 0) }
  })
  const answers = counts.reduce((sum, { replies }) => sum + replies, 0)
  const shares = expectation.map(({ share }) => share).filter((share) => share > 0)
  if (shares.length === 0) return undefined
  const off = Math.min(MOST_OFF, ...shares.map((share) => share / 2))

  const within = (hits: number, of: number, share: number) => {
    const [low, high] = alwaysValidInterval(hits, of, BETA)
    const most = share === 0 || share === 1 ? UNWANTED : off
    return low > share - most && high < share + most
  }
  const wrong = counts.find(({ expected: { share }, replies }) => {
    const [low, high] = alwaysValidInterval(replies, answers, ALPHA)
    if (share === 0 || share === 1) return answers > 0 && replies !== share * answers
    return share < low || share > high
  })
  if (wrong) {
    const { expected, replies } = wrong
    const share = `${percent(replies / answers)} instead of ${percent(expected.share)}`
    return { isWrong: true, text: `the split is wrong: ${nameOf(expected)} answers ${share}` }
  }
  const isSure = (more: number) =>
    counts.every(({ expected: { share }, replies }) => within(replies + share * more, answers + more, share))
  if (isSure(0)) return { isWrong: false, text: 'the split is right' }
  let more = 10
  while (!isSure(more) && more < MOST_MORE) more = Math.ceil(more * 1.2)
  return {
    isWrong: false,
    text: `whether the split is right cannot be told yet: that takes about ${whole(Number(more.toPrecision(2)))} more requests`,
  }
}
