import { setTimeout as sleep } from 'node:timers/promises'
import { WrongUse } from '../errors.ts'
import { Counts, type Outcome, Sample } from '../sampling/sample.ts'
import { shownUrl } from '../sampling/shownUrl.ts'
import { takeSample } from '../sampling/takeSample.ts'
import { type Target, VersionClient } from '../sampling/versionClient.ts'
import { ANYBODY, type Expectation, parseExpectation, whyUntold } from './expectation.ts'
import type { Judgement } from './gate.ts'
import { isSticky } from './isSticky.ts'
import { judge } from './judge.ts'
import { isSilent, isVoid } from './notAsked.ts'
import { endingAt, type Limits, MOST_MS, plan, sizeText, usualSize } from './plan.ts'
import { whyRefused } from './rateLimit.ts'

export interface CheckOptions {
  readonly target: Target
  /** Where it is a function, the split that the gateway announces comes first; what the function throws says why there is no other. */
  readonly expectation: Expectation | (() => Promise<Expectation>)
  /** Whether availability alone is judged where replies say neither version nor role, nor are meant to. */
  readonly orAnybody?: boolean
  readonly limits: Limits
  /** The most requests; by default as many as it takes. */
  readonly requests?: number | undefined
  /** How often the whole command judges, by default once: its error rates are for all of it. */
  readonly steps?: number
  /** Requests a second on average, at most. */
  readonly rate: number
  /** What may hide errors of a version, as far as it is known, for the report. */
  readonly mayHide?: readonly string[]
  /** Ends the sample early; what is judged then is what there is. */
  readonly signal: AbortSignal
  /** Called with what becomes of each request, even where the sample is begun anew. */
  readonly onOutcome?: (outcome: Outcome) => void
  /** Called after each request: how many there were, and how many it takes where nothing is wrong. */
  readonly onProgress?: (done: number, usual: number) => void
}

export interface Report extends Judgement {
  /** Of the gateway, or of Prometheus. */
  readonly url: string
  /** What the sample is of. */
  readonly from: 'own requests' | 'real traffic'
  readonly expectation: Expectation
  readonly expectationFrom: 'the caller' | 'the gateway' | 'the values files'
  readonly sample: Sample
  readonly seconds: number
  /** What may hide errors of a version, such as retries of the gateway, one line each. */
  readonly mayHide: readonly string[]
  /**
   * What was kept alive: where a gateway keeps a connection with one backend, it is nothing, so that each request is a draw. Null for
   * real traffic.
   */
  readonly connections: 'kept' | 'one for each request' | null
}

/** More than this must be asked for. */
export const MOST_BY_DEFAULT = 50_000

const MOST_FIRST_REPLIES = 20

/**
 * The first requests come in waves, 50 ms apart on average, of ten or a twelfth of those before: otherwise a burst of errors could be
 * taken for all there is.
 */
const SLOW_START = { requests: 600, smallest: 10, part: 1 / 12, gapMs: 50 }

/**
 * Takes a sample, and judges it at each look of its plan, until that decides.
 * @throws {WrongUse} when there is nothing to compare with, or the sample would be huge
 */
export async function sampleAndJudge(options: CheckOptions): Promise<Report> {
  const { target, limits, signal } = options
  const announced = new Counts()
  const client = new VersionClient(target)
  try {
    const { expectation, expectationFrom } = await whatToExpect(client, options, announced)
    if (options.requests === undefined) refuseHuge(expectation, limits)
    const started = performance.now()
    const conclude = (asked: Asked, connections: Report['connections']): Report => ({
      url: shownUrl(target.url),
      from: 'own requests',
      expectation,
      expectationFrom,
      connections,
      seconds: (performance.now() - started) / 1000,
      mayHide: options.mayHide ?? [],
      ...asked,
    })
    const asked = await ask(client, expectation, options, announced)
    if (!asked.isSticky || signal.aborted) return conclude(asked, 'kept')
    const fresh = new VersionClient({ ...target, areFresh: true })
    try {
      return conclude(await ask(fresh, expectation, options, announced), 'one for each request')
    } finally {
      await fresh.close()
    }
  } finally {
    await client.close()
  }
}

/** @throws {WrongUse} where so many requests must be asked for */
export function refuseHuge(expectation: Expectation, limits: Limits): void {
  const usual = usualSize(expectation, limits)
  if (usual > MOST_BY_DEFAULT)
    throw new WrongUse(
      `to judge so small a share or rate takes ${sizeText(usual)} requests, and more in case of doubt: say how many at most with --requests`,
    )
}

interface Asked extends Judgement {
  readonly sample: Sample
  /** Whether the gateway keeps connections with one backend: then nothing of this is to be believed. */
  readonly isSticky: boolean
}

/** Asks until the plan decides, there is nobody to ask, or the gateway turns out to keep connections with one backend. */
async function ask(client: VersionClient, expectation: Expectation, options: CheckOptions, announced: Counts): Promise<Asked> {
  const { limits, rate, signal, onProgress } = options
  const planned = plan(expectation, limits, options)
  const sample = new Sample()
  for (const split of announced.keys()) sample.announced.add(split)
  const until = performance.now() + MOST_MS
  const isTimeUp = () => sample.requests >= planned.usual && performance.now() > until
  const isOver = () => signal.aborted || isSilent(sample) || isTimeUp()
  const onOutcome = (outcome: Outcome) => {
    options.onOutcome?.(outcome)
    onProgress?.(sample.requests, planned.usual)
  }
  let judgement: Judgement | undefined
  for (const look of planned.looks) {
    while (sample.requests < look.requests && !isOver()) {
      const { requests } = sample
      const wave = Math.max(SLOW_START.smallest, Math.floor(requests * SLOW_START.part))
      const isSlow = !limits.strict && requests < SLOW_START.requests && rate > (1000 * wave) / SLOW_START.gapMs
      const left = look.requests - requests
      await takeSample(client, { requests: isSlow ? Math.min(left, wave) : left, rate }, sample, isOver, signal, onOutcome)
      if (isSlow) await sleep(2 * Math.random() * SLOW_START.gapMs, undefined, { signal }).catch(() => {})
    }
    judgement = judge(sample, isTimeUp() ? endingAt(planned, sample.requests) : planned)
    const isSplitWrong = judgement.gates.some(({ name, verdict }) => name === 'split' && verdict === 'FAIL')
    if (client.target.areFresh !== true && !limits.strict && isSticky(sample, expectation, isSplitWrong))
      return { ...judgement, sample, isSticky: true }
    // More requests would not help against a rate limit.
    const isAvailable = judgement.gates.some(({ name, verdict }) => name === 'availability' && verdict === 'PASS')
    const isUseless =
      isVoid(sample) ||
      whyRefused(sample, limits.maxErrorRate) !== undefined ||
      (isAvailable && whyUntold(expectation, sample.sources) !== undefined)
    if (judgement.verdict !== 'INCONCLUSIVE' || isUseless || isOver()) break
  }
  if (judgement === undefined) throw new Error('a plan needs at least one look')
  return { ...judgement, sample, isSticky: false }
}

async function whatToExpect(client: VersionClient, options: CheckOptions, announced: Counts) {
  const { expectation, target, signal, orAnybody } = options
  if (orAnybody && target.versionFrom?.text === 'none') {
    const { role } = await firstReply(client, signal, (outcome) => outcome.role !== undefined || outcome.error === undefined)
    if (role === undefined) return { expectation: ANYBODY, expectationFrom: 'the caller' as const }
  }
  if (typeof expectation !== 'function') return { expectation, expectationFrom: 'the caller' as const }
  const { announced: split, error } = await firstReply(
    client,
    signal,
    ({ announced, version }) => announced !== undefined || version !== undefined,
  )
  if (split !== undefined) {
    // Not one of the sample's requests, but were the sample to announce another split, there would be two.
    announced.add(split)
    try {
      return { expectation: parseExpectation(split), expectationFrom: 'the gateway' as const }
    } catch {
      throw new WrongUse(
        `${shownUrl(target.url)} announces a split that makes no sense, "${split}": give one with --expect v1=90,v2=10`,
      )
    }
  }
  try {
    return { expectation: await expectation(), expectationFrom: 'the values files' as const }
  } catch (cause) {
    const silence = `${shownUrl(target.url)} announces no split${error === undefined ? '' : ` (${error})`}`
    throw new WrongUse(
      `nothing to compare with: ${silence}, and ${(cause as Error).message}; give --expect v1=90,v2=10, or the chart's folder with --chart`,
    )
  }
}

/** The first reply by a service: a gateway's own errors may lack what the route adds. */
async function firstReply(client: VersionClient, signal: AbortSignal, isServices: (outcome: Outcome) => boolean) {
  for (let attempt = 1; ; attempt++) {
    const outcome = await client.ask()
    const isGateways = outcome.microseconds !== undefined && !isServices(outcome)
    if (!isGateways || attempt === MOST_FIRST_REPLIES || signal.aborted) return outcome
  }
}
