import { setTimeout as sleep } from 'node:timers/promises'
import type { Outcome } from './sample.ts'
import type { VersionClient } from './versionClient.ts'

/** When to ask. */
export interface Pace {
  /** How often in all. */
  readonly requests: number
  /** How often a second on average, at most. */
  readonly rate: number
  /** Called instead of asking where a request is due but all connections are busy; without it, the request waits for one. */
  readonly onBusy?: () => void
}

/** How late a request may be that is still sent: a machine that was asleep does not make up for it with a burst. */
const LATEST_MS = 1000

/**
 * Asks at a pace, after random intervals, and hands on what becomes of each request, until all have ended or the signal aborts.
 * Even intervals fall in step with other even traffic: a gateway that takes turns then gives this share of it too many turns, or none.
 * @see https://www.rfc-editor.org/rfc/rfc2330#section-11.1
 */
export async function sendRequests(
  client: VersionClient,
  { requests, rate, onBusy }: Pace,
  onOutcome: (outcome: Outcome) => void,
  signal: AbortSignal,
): Promise<void> {
  let underWay = 0
  let change = Promise.withResolvers<void>()
  const wake = () => change.resolve()
  signal.addEventListener('abort', wake)

  const ask = async () => {
    underWay++
    const outcome = await client.ask()
    underWay--
    if (!signal.aborted) onOutcome(outcome)
    wake()
  }
  const untilUnderWay = async (most: number) => {
    while (underWay > most && !signal.aborted) {
      change = Promise.withResolvers()
      await change.promise
    }
  }

  const { connections } = client.target
  let due = performance.now()
  for (let left = requests; left > 0; left--) {
    const early = due - performance.now()
    if (early > 0) await sleep(early, undefined, { signal }).catch(() => {})
    if (early < -LATEST_MS) due = performance.now()
    due += (2 * Math.random() * 1000) / rate
    if (!onBusy) await untilUnderWay(connections - 1)
    if (signal.aborted) break
    if (underWay < connections) ask()
    else onBusy?.()
  }
  await untilUnderWay(0)
  signal.removeEventListener('abort', wake)
}
