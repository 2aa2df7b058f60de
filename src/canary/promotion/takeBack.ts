import { ALL_STABLE } from '../values/values.ts'
import type { Report } from '../verdict/sampleAndJudge.ts'
import type { Operator } from './operator.ts'

export interface TakenBack {
  /** How long it took until every reply was stable's; undefined where nobody was asked, or it did not come to that. */
  readonly seconds: number | undefined
  readonly report: Report | undefined
}

/**
 * Sets 100/0, now. Where a promotion has begun to give stable what canary runs, stable goes back to what it ran before, in the same
 * edit: a version that is taken back must not come in by the other door.
 */
export async function takeBack(operator: Operator): Promise<TakenBack> {
  const startedAt = performance.now()
  await operator.recover(true)
  const standing = await operator.standing()
  const content = standing && (await operator.contentToRestore(standing))
  const title = content ? 'Set 100/0, and give stable back what it ran before' : 'Set 100/0'
  await operator.apply(title, ALL_STABLE, content, true)
  if (!standing && !operator.options.url) return { seconds: undefined, report: undefined }
  const target = operator.target(await operator.standing())
  // Whatever its version: stable may be on the way back.
  const seconds = await operator.settle(
    target,
    [
      { role: 'stable', share: 1 },
      { role: 'canary', share: 0 },
    ],
    startedAt,
  )
  if (content) await operator.rolledOut()
  const expectation = operator.expected(await operator.standing(), ALL_STABLE)
  // Pods of before serve on for a while.
  if (content) await operator.settle(target, expectation, startedAt)
  return { seconds, report: await operator.check('Check that every reply is from stable', target, expectation) }
}
