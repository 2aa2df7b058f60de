import type { RecordableHistogram } from 'node:perf_hooks'
import type { Role } from '../roles.ts'
import { type Block, bucketOf, type InBlock } from '../sampling/blocks.ts'
import { emptyLatency, type Sample, type Source } from '../sampling/sample.ts'
import { type Expected, findExpected, nameOf, rolesOf } from './expectation.ts'
import type { Gate } from './gate.ts'
import { type Look, MOST_MS, type Plan, sizeText } from './plan.ts'
import { designEffect } from './statistics.ts'

/** What the expectation says about someone, and what came of it. */
export interface Observed {
  readonly expected: Expected
  readonly role: Role | undefined
  readonly name: string
  readonly replies: number
  readonly errors: number
  readonly latency: RecordableHistogram
  readonly sources: readonly Source[]
}

/** A sample at a look, which is what the gates judge. */
export interface Case extends Plan {
  readonly sample: Sample
  readonly observed: readonly Observed[]
  readonly look: Look
  /** Whether the sample has come as far as the look: one that was interrupted has not, and passes nothing. */
  readonly isLook: boolean
  readonly blocks: readonly Block<Source>[]
  /** How many equal stretches of time the requests are spread over, or as good as. */
  readonly spread: number
}

export interface Finding extends Pick<Gate, 'verdict' | 'reason'> {
  /** Why it is open, where it is. */
  readonly why?: string
}

/** Stretches of time that it takes to tell what comes all the time from what comes in a burst. */
const FEWEST_BLOCKS = 5

export function caseOf(sample: Sample, plan: Plan): Case {
  const { expectation, looks } = plan
  const roles = rolesOf(expectation, sample)
  const look = looks.find(({ requests }) => requests >= sample.requests) ?? (looks.at(-1) as Look)
  const observed = expectation.map((expected, index) => {
    const sources = sample.sources.filter((source) => findExpected(expectation, source) === expected)
    const [only, ...more] = sources
    return {
      expected,
      role: roles[index],
      name: nameOf(expected),
      replies: sum(sources.map(({ replies }) => replies)),
      errors: sum(sources.map(({ errors }) => errors.total)),
      latency: only && more.length === 0 ? only.latency : merged(sources.map(({ latency }) => latency)),
      sources,
    }
  })
  const blocks = [...sample.blocks]
  const spread = sample.requests ** 2 / sum(blocks.map(({ requests }) => requests ** 2))
  return { ...plan, sample, observed, look, isLook: sample.requests >= look.requests, blocks, spread }
}

export const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0)

function merged(latencies: RecordableHistogram[]): RecordableHistogram {
  const all = emptyLatency()
  for (const latency of latencies) if (latency.count > 0) all.add(latency)
  return all
}

/**
 * What comes of a comparison whose boundaries were crossed, or were not. What is still open when there were enough requests to decide
 * is a fault: so many are planned that this befalls what is as it should be hardly ever.
 * @param effect the design effect: so many requests tell as much as one that is independent of the others
 */
export function finding(of: Case, isFault: boolean, isFine: boolean, effect: number, reasons: readonly string[]): Finding {
  const { look, isLook, enough, sample, spread, isTraffic } = of
  const reason = reasons.join('; ')
  const isEnough = sample.requests >= enough
  // With fewer stretches of time, all of it may be one burst.
  if (isFault && (spread >= FEWEST_BLOCKS || isEnough)) return { verdict: 'FAIL', reason }
  if (isFine && isLook && look.beta > 0) return { verdict: 'PASS', reason }
  // Of real traffic, canary's part may be smaller than was planned.
  if (isLook && !isTraffic && sample.requests / effect >= enough) return { verdict: 'FAIL', reason }
  return open(of, reason)
}

/** What is neither surely worse than allowed nor surely better than what must not pass. */
export function open({ sample, looks, enough, usual, isLook, isTraffic }: Case, reason: string): Finding {
  const { requests } = sample
  let why = 'too early to tell'
  if (isTraffic && requests >= usual) why = 'too few replies of one of the two to tell, or errors and pauses that come in bursts'
  else if (isLook && requests >= enough) why = 'errors or pauses come in bursts, too few of them to tell'
  else if (isLook && looks.at(-1)?.requests === requests)
    why =
      requests < usual
        ? `too few requests to tell: as a rule, that takes ${sizeText(usual)}`
        : `too few requests to tell, within ${MOST_MS / 1000} s or --requests: in case of doubt, that takes up to ${sizeText(enough)}`
  return { verdict: 'INCONCLUSIVE', reason, why }
}

/** What comes of a gate: the worst that comes of its comparisons. */
export function gateOf(name: Gate['name'], findings: readonly Finding[]): Gate {
  const verdict = worst(findings.map((found) => found.verdict))
  const found = findings.filter((found) => found.verdict === verdict)
  const whys = new Set(found.flatMap(({ why }) => why ?? []))
  return { name, verdict, reason: [...found.map(({ reason }) => reason), ...whys].join('; ') }
}

/** Worst first. */
const order = ['FAIL', 'INCONCLUSIVE', 'PASS', 'NOT APPLICABLE'] as const

export const worst = (verdicts: readonly Gate['verdict'][]): Gate['verdict'] =>
  order.find((verdict) => verdicts.includes(verdict)) ?? 'NOT APPLICABLE'

/** By how much the error rate of all requests varies more between stretches of time than chance explains. */
export function effectOnRate({ blocks, spread, sample: { requests } }: Case, errors: number): number {
  const rate = errors / requests
  return effect(
    spread,
    blocks.map((block) => (block.errors - rate * block.requests) / requests),
    (rate * (1 - rate)) / requests,
  )
}

/**
 * By how much the difference of canary's and stable's error rates varies more between stretches of time than chance explains: what hits
 * both at a time is no difference.
 */
export const effectOnDifference = (of: Case, pair: readonly [Observed, Observed]): number =>
  effectOnBoth(of, pair, ({ errors, replies }) => ({ hits: errors, trials: replies }))

/** The same of the shares of replies that are slower than so many milliseconds. */
export function effectOnSlow(of: Case, pair: readonly [Observed, Observed], ms: number): number {
  const above = bucketOf(ms * 1000) + 1
  return effectOnBoth(of, pair, ({ latency }) => ({ hits: sum([...latency.subarray(above)]), trials: sum([...latency]) }))
}

function effectOnBoth(of: Case, [canary, stable]: readonly [Observed, Observed], count: Count): number {
  const [ofCanary, ofStable] = [deviationsOf(of, canary, count), deviationsOf(of, stable, count)]
  const deviations = ofCanary.deviations.map((deviation, index) => deviation - (ofStable.deviations[index] as number))
  return effect(of.spread, deviations, ofCanary.variance + ofStable.variance)
}

type Count = (part: InBlock) => { hits: number; trials: number }

interface Deviations {
  /** What each stretch of time adds to how far the rate is from itself: they add up to 0. */
  readonly deviations: number[]
  /** Of the rate, by chance. */
  readonly variance: number
}

function deviationsOf({ blocks }: Case, { sources }: Observed, count: Count): Deviations {
  const counts = blocks.map((block) => {
    const parts = sources.flatMap((source) => block.sources.get(source) ?? []).map(count)
    return { hits: sum(parts.map(({ hits }) => hits)), trials: sum(parts.map(({ trials }) => trials)) }
  })
  const trials = sum(counts.map(({ trials }) => trials))
  const rate = sum(counts.map(({ hits }) => hits)) / trials
  return {
    deviations: counts.map((block) => (block.hits - rate * block.trials) / trials),
    variance: (rate * (1 - rate)) / trials,
  }
}

// Of fewer stretches of time, nothing can be said, and nothing fails.
const effect = (spread: number, deviations: number[], variance: number) =>
  spread < FEWEST_BLOCKS ? 1 : designEffect(deviations, variance)

/** As many hits and trials as tell as much when they are independent, rounded to whole ones for a lower and for a higher share. */
export function independent(hits: number, trials: number, effect: number): { low: [number, number]; high: [number, number] } {
  // What is a whole number on paper may be a hair off in floating point.
  const down = (number: number) => Math.floor(number / effect + 1e-9)
  const up = (number: number) => Math.ceil(number / effect - 1e-9)
  return { low: [down(hits), up(trials)], high: [Math.min(up(hits), down(trials)), down(trials)] }
}
