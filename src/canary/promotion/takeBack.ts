import { Failure, WrongUse } from '../errors.ts'
import { ALL_STABLE } from '../values/weights.ts'
import type { Report } from '../verdict/sampleAndJudge.ts'
import type { Change } from './releaseDescription.ts'
import type { Session } from './session.ts'

export interface TakenBack {
  /** How long it took until every reply was stable's; undefined where nobody was asked, or it did not come to that. */
  readonly seconds: number | undefined
  readonly report: Report | undefined
  /** What was left, or could not be seen, a sentence each. */
  readonly notes: readonly string[]
}

/**
 * Sets 100/0, now, whatever is not known. Where a promotion has begun to give stable what canary runs, stable goes back to what it ran
 * before, in the same upgrade: a version that is taken back must not come in by the other door.
 * @param mayAsk whether there is a gateway to ask where no cluster says where it listens
 */
export async function takeBack(session: Session, change: Omit<Change, 'step' | 'weights'>, mayAsk: boolean): Promise<TakenBack> {
  const { release } = session
  const startedAt = performance.now()
  if (release.place.filesOnly) {
    await release.writeAllStable('Set 100/0')
    return mayAsk ? look(session, startedAt, 'settled', []) : { seconds: undefined, report: undefined, notes: [] }
  }
  const { isRestored, notes: moved } = await release.takeBack(change)
  const notes = [...moved, ...(await release.leftLines())]
  try {
    return await look(session, startedAt, isRestored ? 'rolling' : 'settled', notes)
  } catch (error) {
    if (!(error instanceof Failure) && !(error instanceof WrongUse)) throw error
    return { seconds: undefined, report: undefined, notes: [...notes, `Nobody was asked: ${error.message}`] }
  }
}

async function look(
  { release, replies }: Session,
  startedAt: number,
  pods: 'settled' | 'rolling',
  notes: readonly string[],
): Promise<TakenBack> {
  const live = await release.live()
  const target = await replies.target(live)
  const seconds = await replies.settle(target, await replies.allStable(live), startedAt)
  if (pods === 'rolling') await release.rolledOut()
  const expectation = await replies.expected(await release.live(), ALL_STABLE)
  // Pods of before serve on for a while.
  if (pods === 'rolling') await replies.settle(target, expectation, startedAt)
  return { seconds, report: await replies.check('Check that every reply is from stable', target, expectation), notes }
}
