import { ALL_STABLE } from '../values/weights.ts'
import type { Report } from '../verdict/sampleAndJudge.ts'
import type { Session } from './session.ts'

export interface TakenBack {
  /** How long it took until every reply was stable's; undefined where nobody was asked, or it did not come to that. */
  readonly seconds: number | undefined
  readonly report: Report | undefined
}

/**
 * Sets 100/0, now. Where a promotion has begun to give stable what canary runs, stable goes back to what it ran before, in the same
 * edit: a version that is taken back must not come in by the other door.
 * @param mayAsk whether there is a gateway to ask where no cluster says where it listens
 */
export async function takeBack({ release, replies }: Session, mayAsk: boolean): Promise<TakenBack> {
  const startedAt = performance.now()
  await release.recover('urgent')
  const state = await release.state()
  const podValues = state && (await release.podValuesToRestore(state))
  const title = podValues ? 'Set 100/0, and give stable back what it ran before' : 'Set 100/0'
  await release.apply(title, ALL_STABLE, 'urgent', podValues)
  if (!state && !mayAsk) return { seconds: undefined, report: undefined }
  const target = await replies.target(await release.state())
  // Whatever its version: stable may be on the way back.
  const seconds = await replies.settle(
    target,
    [
      { role: 'stable', share: 1 },
      { role: 'canary', share: 0 },
    ],
    startedAt,
  )
  if (podValues) await release.rolledOut()
  const expectation = await replies.expected(await release.state(), ALL_STABLE)
  // Pods of before serve on for a while.
  if (podValues) await replies.settle(target, expectation, startedAt)
  return { seconds, report: await replies.check('Check that every reply is from stable', target, expectation) }
}
