import { agreesWith } from './agreesWith.ts'
import { Asker, type Target } from './asker.ts'
import type { Expectation } from './expectation.ts'
import { Interrupted } from './interrupted.ts'
import { Sample } from './sample.ts'
import { sampling } from './sampling.ts'

const LOOK = { requests: 200, rate: 400 }
/** In a row: a gateway may consist of several, of which one follows later. */
const LOOKS = 2

/**
 * Waits until replies come as they should.
 * @returns when the first of those was asked for, on the clock of `performance.now`; undefined when time was up before
 */
export async function onTheWire(
  target: Target,
  expectation: Expectation,
  patienceMs: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  const asker = new Asker(target)
  const until = performance.now() + patienceMs
  let since = 0
  try {
    for (let agreeing = 0; agreeing < LOOKS; ) {
      const sample = new Sample()
      const startedAt = performance.now()
      await sampling(asker, LOOK, (outcome) => sample.add(outcome), signal)
      if (signal.aborted) throw new Interrupted()
      if (!agreesWith(sample, expectation)) agreeing = 0
      else if (agreeing++ === 0) since = startedAt
      if (agreeing === 0 && performance.now() > until) return undefined
    }
    return since
  } finally {
    await asker.close()
  }
}
