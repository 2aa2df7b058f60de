import type { RecordableHistogram } from 'node:perf_hooks'
import { count, list, milliseconds, percent, points, whole } from '../format.ts'
import type { Role } from '../roles.ts'
import { emptyLatency, quantileMs, type Sample } from '../sampling/sample.ts'
import { type Expectation, type Expected, findExpected, nameOf, rolesOf } from './expectation.ts'
import { whyNotAsked } from './notAsked.ts'
import { ALPHA, FEWEST_REPLIES, type Limits, type Plan } from './plan.ts'
import { whyRefused, withoutRefused } from './rateLimit.ts'
import { requireJudgeable, requirePlannable } from './requireNumbers.ts'
import { atLeast, atMost, farFromMean, leastDifference, quantileRanks } from './statistics.ts'

export type Verdict = 'PASS' | 'FAIL' | 'INCONCLUSIVE'

export interface Gate {
  readonly name: 'availability' | 'split' | 'canary health'
  readonly verdict: Verdict | 'NOT APPLICABLE'
  /** One sentence, with the numbers. */
  readonly reason: string
}

export interface Judgement {
  readonly verdict: Verdict
  readonly gates: readonly Gate[]
}

/** What the expectation says about someone, and what came of it. */
interface Observed {
  readonly expected: Expected
  readonly role: Role | undefined
  readonly name: string
  readonly replies: number
  readonly errors: number
  readonly latency: RecordableHistogram
}

/**
 * Judges a sample by its plan. FAIL: worse than allowed, and chance explains that less than once in 1000. PASS: within what is
 * allowed, and the sample is large enough to tell. INCONCLUSIVE: anything else.
 * @throws {TypeError} where a number is not one of its kind
 */
export function judge(sample: Sample, plan: Plan): Judgement {
  requirePlannable(plan.expectation, plan.limits)
  requireJudgeable(sample)
  const silence = whyNotAsked(sample)
  if (silence) {
    const names = ['availability', 'split', 'canary health'] as const
    return { verdict: 'INCONCLUSIVE', gates: names.map((name) => ({ name, verdict: 'INCONCLUSIVE', reason: silence })) }
  }
  const refused = whyRefused(sample, plan.limits.maxErrorRate)
  const taken = refused ? withoutRefused(sample) : sample
  const observed = observe(taken, plan.expectation)
  const available = availability(taken, observed, plan)
  const gates: Gate[] = [
    {
      name: 'availability',
      ...(refused && available.verdict !== 'FAIL' ? { verdict: 'INCONCLUSIVE', reason: refused } : available),
    },
    { name: 'split', ...split(taken, observed, plan) },
    { name: 'canary health', ...health(observed, plan.limits) },
  ]
  const has = (verdict: Verdict) => gates.some((gate) => gate.verdict === verdict)
  return { verdict: has('FAIL') ? 'FAIL' : has('INCONCLUSIVE') ? 'INCONCLUSIVE' : 'PASS', gates }
}

function observe(sample: Sample, expectation: Expectation): Observed[] {
  const roles = rolesOf(expectation, sample)
  return expectation.map((expected, index) => {
    const sources = sample.sources.filter((source) => findExpected(expectation, source) === expected)
    const [only, ...more] = sources
    return {
      expected,
      role: roles[index],
      name: nameOf(expected),
      replies: sum(sources.map(({ replies }) => replies)),
      errors: sum(sources.map(({ errors }) => errors.total)),
      latency: only && more.length === 0 ? only.latency : merged(sources.map(({ latency }) => latency)),
    }
  })
}

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0)

function merged(latencies: RecordableHistogram[]): RecordableHistogram {
  const all = emptyLatency()
  for (const latency of latencies) if (latency.count > 0) all.add(latency)
  return all
}

type Finding = Pick<Gate, 'verdict' | 'reason'>

const perhaps = (reason: string): Finding => ({ verdict: 'INCONCLUSIVE', reason: `${reason}; chance may explain that` })

function availability(sample: Sample, observed: Observed[], { limits: { maxErrorRate }, needed }: Plan): Finding {
  const { requests, failures } = sample
  const kinds = new Map(failures)
  for (const { errors } of sample.sources) for (const [kind, number] of errors) kinds.set(kind, (kinds.get(kind) ?? 0) + number)
  const errors = sum([...kinds.values()])
  const which = errors > 0 ? ` (${percent(errors / requests)}: ${list(kinds)})` : ''
  const reason = [`${whole(errors)} of ${count(requests, 'request')} failed${which}, at most ${percent(maxErrorRate)} may`]
  const missing = whatIsMissing(sample, observed)
  if (missing) reason.push(missing)

  let verdict: Verdict = 'INCONCLUSIVE'
  if (atLeast(errors, requests, maxErrorRate) < ALPHA) verdict = 'FAIL'
  else if (errors / requests > maxErrorRate) reason.push('chance may explain that')
  else if (requests < needed.availability) reason.push(`${whole(needed.availability)} requests are needed to tell`)
  else verdict = 'PASS'
  return { verdict, reason: reason.join('; ') }
}

/** What a gateway answers itself tells what it lacks. */
const gatewayErrors = { '500 without a version': 'the Service is missing', '503 without a version': 'no pod is ready' }

function whatIsMissing({ requests, failures }: Sample, observed: Observed[]): string | undefined {
  for (const { expected, role, name, replies } of observed) {
    if (expected.share === 0 || replies > 0) continue
    for (const [kind, meaning] of Object.entries(gatewayErrors)) {
      const failed = failures.get(kind) ?? 0
      const distance = Math.abs(failed - expected.share * requests)
      if (failed === 0 || farFromMean(distance, requests, expected.share) < ALPHA) continue
      return `that is the share of ${name}, which never answered: ${meaning} (${role ?? name})`
    }
  }
  return undefined
}

function split(sample: Sample, observed: Observed[], { expectation, limits, needed, splitAlpha }: Plan): Finding {
  const { requests, sources, announced } = sample
  const { tolerance, strict } = limits
  const unexpected = sources.filter((source) => !findExpected(expectation, source))
  if (unexpected.length > 0) {
    const who = unexpected.map((source) => `${whole(source.replies)} × ${nameOf(source)}`).join(', ')
    return { verdict: 'FAIL', reason: `replies that nobody expected: ${who}` }
  }
  if (announced.size > 1) {
    return { verdict: 'INCONCLUSIVE', reason: `the announced split changed meanwhile: ${[...announced.keys()].join(', then ')}` }
  }

  const unwanted = observed.find(({ expected, replies }) => expected.share === 0 && replies > 0)
  // Where two are as far off, the second is the canary as a rule.
  const farthest = observed.toReversed().toSorted((a, b) => offBy(b, requests) - offBy(a, requests))[0]
  const absent = observed.find(({ expected, replies }) => replies === 0 && atMost(0, requests, expected.share) < ALPHA)
  const worst = unwanted ?? absent ?? farthest
  if (worst === undefined) throw new Error('an expectation needs at least one entry')

  const { expected, name, replies } = worst
  const target = expected.share === 0 ? 'none' : `${percent(expected.share)} ± ${points(tolerance)}`
  const reason = `${name} answered ${whole(replies)} of ${count(requests, 'request')} (${percent(replies / requests)}), expected ${target}`
  const isOutside = offBy(worst, requests) > tolerance
  const chance = farFromMean(Math.abs(replies - expected.share * requests), requests, expected.share)
  if (unwanted || absent || (isOutside && (strict || chance < splitAlpha))) return { verdict: 'FAIL', reason }
  if (isOutside || requests < needed.split) {
    const excuse = isOutside ? 'chance may explain that, ' : ''
    return { verdict: 'INCONCLUSIVE', reason: `${reason}; ${excuse}${whole(needed.split)} requests are needed to tell` }
  }
  return { verdict: 'PASS', reason }
}

// Rounded, so that what is equal on paper stays equal.
const offBy = ({ expected, replies }: Observed, requests: number) =>
  Math.round(Math.abs(replies / requests - expected.share) * 1e9) / 1e9

function health(observed: Observed[], limits: Limits): Finding {
  const [canary, stable] = (['canary', 'stable'] as const).map((role) =>
    observed.find((entry) => entry.role === role && entry.expected.share > 0),
  )
  if (!canary) return { verdict: 'NOT APPLICABLE', reason: 'no request is meant for a canary' }
  if (!stable) return { verdict: 'NOT APPLICABLE', reason: 'no request is meant for stable, which canary would be compared with' }
  const findings = [errorIncrease(canary, stable, limits), p95Increase(canary.latency, stable.latency, limits)]
  for (const verdict of ['FAIL', 'INCONCLUSIVE'] as const) {
    const reasons = findings.filter((finding) => finding.verdict === verdict).map(({ reason }) => reason)
    if (reasons.length > 0) return { verdict, reason: reasons.join('; ') }
  }
  return { verdict: 'PASS', reason: findings.map(({ reason }) => reason).join('; ') }
}

// Too few replies to tell by are too few good ones as well, which is for the other comparison to say.
function errorIncrease(canary: Observed, stable: Observed, { maxErrorIncrease }: Limits): Finding {
  const [of, than] = [canary, stable].map(
    ({ errors, replies }) => `${whole(errors)} of ${whole(replies)} (${percent(errors / replies)})`,
  )
  const reason = `canary failed ${of}, stable ${than}, allowed: ${points(maxErrorIncrease)} more`
  if (canary.errors / canary.replies - stable.errors / stable.replies > maxErrorIncrease) {
    const least = leastDifference(canary.errors, canary.replies, stable.errors, stable.replies, ALPHA)
    return least > maxErrorIncrease ? { verdict: 'FAIL', reason } : perhaps(reason)
  }
  return { verdict: 'PASS', reason }
}

function p95Increase(canary: RecordableHistogram, stable: RecordableHistogram, { maxP95IncreaseMs }: Limits): Finding {
  const [of, than] = [canary, stable].map((latency) => quantileMs(latency, 0.95) ?? 0) as [number, number]
  const reason = `canary's p95 is ${milliseconds(of)}, stable's ${milliseconds(than)}, allowed: ${maxP95IncreaseMs} ms more`
  const isSlower = of > than + maxP95IncreaseMs
  if (isSlower && isSurelySlower(canary, stable, maxP95IncreaseMs)) return { verdict: 'FAIL', reason }
  if (Math.min(canary.count, stable.count) < FEWEST_REPLIES) {
    const sent = `canary sent ${whole(canary.count)} and stable ${whole(stable.count)} good replies`
    return { verdict: 'INCONCLUSIVE', reason: `${sent}, ${FEWEST_REPLIES} of each are needed to compare them` }
  }
  return isSlower ? perhaps(reason) : { verdict: 'PASS', reason }
}

function isSurelySlower(canary: RecordableHistogram, stable: RecordableHistogram, allowedMs: number): boolean {
  // Half of what may go wrong for each of the two bounds.
  const [least] = quantileRanks(canary.count, 0.95, ALPHA / 2)
  const [, most] = quantileRanks(stable.count, 0.95, ALPHA / 2)
  return least !== undefined && most !== undefined && rankedMs(canary, least) > rankedMs(stable, most) + allowedMs
}

/** The value of a rank, counted from 1. */
const rankedMs = (latency: RecordableHistogram, rank: number) => latency.percentile((rank / latency.count) * 100) / 1000
