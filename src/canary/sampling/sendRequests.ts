import { setTimeout as sleep } from 'node:timers/promises'
import type { Outcome } from './sample.ts'
import type { VersionClient } from './versionClient.ts'

/** When to ask. */
export interface Pace {
  /** How often in all. */
  readonly requests: number
  /** How often a second on average, at most. */
  readonly rate: number
  /** Called for each request that was due at this rate, but is not sent, because all connections were busy. */
  readonly onUnsent?: () => void
}

/** How late a request may be that is still sent: what waits longer for a connection is given up, and does not become a burst. */
const LATEST_MS = 1000

/**
 * Asks at a pace, after random intervals, and hands on what becomes of each request, until all have ended or the signal aborts.
 * Latency counts from when a request is sent, not from when it was due: a slow version that keeps all connections busy would make
 * the other one look as slow.
 * Even intervals fall in step with other even traffic: a gateway that takes turns then gives this share of it too many turns, or none.
 * @see https://www.rfc-editor.org/rfc/rfc2330#section-11.1
 */
export async function sendRequests(
  client: VersionClient,
  { requests, rate, onUnsent }: Pace,
  onOutcome: (outcome: Outcome) => void,
  signal: AbortSignal,
): Promise<void> {
  const { connections } = client.target
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
  /** Fulfilled when fewer are under way, when time is up, or at the end. */
  const untilFewer = async (than: number, until: number) => {
    while (underWay >= than && !signal.aborted) {
      const leftMs = until - performance.now()
      if (leftMs <= 0) return
      change = Promise.withResolvers()
      const timer = Number.isFinite(leftMs) ? setTimeout(wake, leftMs) : undefined
      await change.promise
      clearTimeout(timer)
    }
  }

  const isPaced = Number.isFinite(rate)
  const gap = () => (2 * Math.random() * 1000) / rate
  let left = requests
  let due = performance.now()
  while (left > 0 && !signal.aborted) {
    const early = due - performance.now()
    if (early > 0) await sleep(early, undefined, { signal }).catch(() => {})
    // Nothing waits so long for a connection: the machine was asleep.
    if (early < -2 * LATEST_MS) due = performance.now()
    await untilFewer(connections, isPaced ? due + LATEST_MS : Number.POSITIVE_INFINITY)
    if (signal.aborted) break
    if (underWay >= connections) onUnsent?.()
    else {
      ask()
      left--
    }
    due += gap()
  }
  const isBusy = isPaced && underWay >= connections
  for (const now = performance.now(); isBusy && left > 0 && due < now; due += gap()) onUnsent?.()
  await untilFewer(1, Number.POSITIVE_INFINITY)
  signal.removeEventListener('abort', wake)
}
