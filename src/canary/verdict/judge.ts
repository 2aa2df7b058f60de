import { count, list, milliseconds, percent, points, whole } from '../format.ts'
import { isRole } from '../roles.ts'
import { quantileMs, type Sample, type Source, slowerThan } from '../sampling/sample.ts'
import {
  type Case,
  caseOf,
  effectOnDifference,
  effectOnRate,
  effectOnSlow,
  type Finding,
  finding,
  gateOf,
  independent,
  type Observed,
  open,
  sum,
  worst,
} from './comparison.ts'
import { findExpected, isAnybody, nameOf, whyUntold } from './expectation.ts'
import { type Gate, inconclusive, type Judgement } from './gate.ts'
import { whyNotAsked } from './notAsked.ts'
import { ALPHA, offBy, type Plan, passes, ranksAround, SLOW_ALLOWED, SLOW_DETECTED } from './plan.ts'
import { whyRefused, withoutRefused } from './rateLimit.ts'
import { requireJudgeable, requirePlannable } from './requireNumbers.ts'
import { atLeast, atMost, farFromMean, leastDifference } from './statistics.ts'

/**
 * Judges a sample, as far as it has come, by its plan. FAIL: it is worse than allowed. PASS: it is not as bad as must not pass.
 * INCONCLUSIVE: neither is sure enough yet. A command that goes from look to look is wrong as seldom as `plan` says.
 * @throws {TypeError} where a number is not one of its kind
 */
export function judge(sample: Sample, plan: Plan): Judgement {
  requirePlannable(plan.expectation, plan.limits)
  requireJudgeable(sample)
  const silence = whyNotAsked(sample)
  if (silence) return inconclusive(silence)
  const refused = whyRefused(sample, plan.limits.maxErrorRate)
  const of = caseOf(refused ? withoutRefused(sample) : sample, plan)
  const available = availability(of)
  const isOpen = refused !== undefined && available.verdict !== 'FAIL'
  const gates: Gate[] = [
    gateOf('availability', [isOpen ? { verdict: 'INCONCLUSIVE', reason: refused } : available]),
    gateOf('split', [plan.isTraffic ? splitOfTraffic(of) : split(of)]),
    gateOf('canary health', health(of)),
  ]
  const verdict = worst(gates.map((gate) => gate.verdict))
  return { verdict: verdict === 'NOT APPLICABLE' ? 'PASS' : verdict, gates }
}

function availability(of: Case): Finding {
  const { sample, observed, limits, look } = of
  const { requests, errors: kinds } = sample
  const errors = kinds.total
  const which = errors > 0 ? ` (${percent(errors / requests)}: ${list(kinds)})` : ''
  const reason = `${whole(errors)} of ${count(requests, 'request')} failed${which}, at most ${percent(limits.maxErrorRate)} may`

  const effect = effectOnRate(of, errors)
  const { low, high } = independent(errors, requests, effect)
  const isFault = atLeast(...low, limits.maxErrorRate) < look.alpha
  const missing = whatIsMissing(sample, observed)
  const blamed = missing ? [missing] : badPods(sample.sources)
  return finding(of, isFault, passes.availability(...high, limits, look.beta), effect, [reason, ...blamed])
}

/** What a gateway answers itself tells what it lacks. */
const gatewayErrors = { '500 without a version': 'the Service is missing', '503 without a version': 'no pod is ready' }

function whatIsMissing({ requests, sources, failures }: Sample, observed: readonly Observed[]): string | undefined {
  // Of replies that do not tell who sent them, nobody is missing.
  if (sources.length > 0 && observed.every(({ replies }) => replies === 0)) return undefined
  if (observed.every(({ expected }) => expected.role === undefined && expected.version === undefined)) return undefined
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

/** Which pod of several sends more of the errors than its share of the replies explains. */
function badPods(sources: readonly Source[]): string[] {
  return sources.flatMap(({ pods, podErrors }) =>
    [...podErrors].flatMap(([pod, errors]) => {
      const replies = pods.get(pod) ?? 0
      const others = pods.total - replies
      if (atLeast(errors, podErrors.total, replies / pods.total) >= ALPHA / pods.size) return []
      const [of, ofOthers] = [whole(errors), whole(podErrors.total - errors)]
      return `pod ${pod} failed ${of} of ${whole(replies)}, the other ${count(pods.size - 1, 'pod')} ${ofOthers} of ${whole(others)}`
    }),
  )
}

function split(of: Case): Finding {
  const { sample, observed, expectation, limits, look, isLook } = of
  const { sources, announced } = sample
  if (isAnybody(expectation)) return { verdict: 'NOT APPLICABLE', reason: NOBODY_TOLD }
  const untold = whyUntold(expectation, sources)
  if (untold) return { verdict: 'INCONCLUSIVE', reason: untold }
  // Errors may say less of who sent them than good replies do.
  const isUntold = ({ version, role, errors, replies }: Source) =>
    (version === undefined || role === undefined) && errors.total === replies
  const unexpected = sources.filter((source) => !findExpected(expectation, source) && !isUntold(source))
  if (unexpected.length > 0) {
    const who = unexpected.map((source) => `${whole(source.replies)} × ${nameOf(source)}`).join(', ')
    const noRoles = [...new Set(unexpected.map(({ role }) => role))].filter((role) => role !== undefined && !isRole(role))
    const hint = noRoles.length > 0 ? `; a role must be stable or canary, not ${noRoles.join(' or ')}` : ''
    return { verdict: 'FAIL', reason: `replies that nobody expected: ${who}${hint}` }
  }
  if (announced.size > 1) {
    return { verdict: 'INCONCLUSIVE', reason: `the announced split changed meanwhile: ${[...announced.keys()].join(', then ')}` }
  }

  // Of those that were answered: what was not is for availability to judge.
  const answers = sum(observed.map(({ replies }) => replies))
  const tolerance = limits.strict ? limits.tolerance : offBy(expectation, limits)
  const unwanted = observed.find(({ expected, replies }) => expected.share === 0 && replies > 0)
  // Where two are as far off, the second is the canary as a rule.
  const farthest = observed.toReversed().toSorted((a, b) => distance(b, answers) - distance(a, answers))[0]
  const blamed = unwanted ?? farthest
  if (blamed === undefined) throw new Error('an expectation needs at least one entry')
  const { expected, name, replies } = blamed
  const target = expected.share === 0 ? 'none' : `${percent(expected.share)} ± ${points(tolerance)}`
  const share = answers > 0 ? ` (${percent(replies / answers)})` : ''
  const which = answers < sample.requests ? 'answered request' : 'request'
  const reason = `${name} answered ${whole(replies)} of ${count(answers, which)}${share}, expected ${target}`

  const drawn = observed.filter(({ expected: { share } }) => share > 0 && share < 1)
  const alpha = drawn.length > 2 ? look.alpha / drawn.length : look.alpha
  const isFault = drawn.some(
    ({ expected: { share }, replies }) => Math.min(atMost(replies, answers, share), atLeast(replies, answers, share)) < alpha / 2,
  )
  if (answers === 0) return finding(of, true, false, 1, [reason])
  if (unwanted || (limits.strict ? distance(blamed, answers) > tolerance : isFault)) return { verdict: 'FAIL', reason }
  if (limits.strict && isLook) return { verdict: 'PASS', reason }
  const isFine =
    drawn.every(({ expected: { share }, replies }) => passes.share(replies, answers, share, tolerance, look.beta)) &&
    (observed.every(({ expected: { share } }) => share > 0) || passes.unwanted(answers, limits, look.beta))
  return finding(of, false, isFine, 1, [reason])
}

const NOBODY_TOLD = 'replies say neither version nor role, so that nobody can tell canary from stable'

/** Users that stay with one version, the preview header and callers inside the cluster make it differ from the weights. */
function splitOfTraffic({ observed, sample: { requests } }: Case): Finding {
  const parts = observed.map(({ name, replies }) => `${name} ${whole(replies)} (${percent(replies / requests)})`)
  return { verdict: 'NOT APPLICABLE', reason: `of real traffic, ${parts.join(', ')}: not judged` }
}

// Rounded, so that what is equal on paper stays equal.
const distance = ({ expected, replies }: Observed, answers: number) =>
  answers === 0 ? 0 : Math.round(Math.abs(replies / answers - expected.share) * 1e9) / 1e9

function health(of: Case): Finding[] {
  const { observed, expectation, limits, sample } = of
  const [canary, stable] = (['canary', 'stable'] as const).map((role) =>
    observed.find((entry) => entry.role === role && entry.expected.share > 0),
  )
  const skip = (reason: string): Finding[] => [{ verdict: 'NOT APPLICABLE', reason }]
  if (limits.strict) return skip('the conformance test is about the split alone')
  if (isAnybody(expectation)) return skip(NOBODY_TOLD)
  if (!canary) return skip('no request is meant for a canary')
  if (!stable) return skip('no request is meant for stable, which canary would be compared with')
  const untold = whyUntold(expectation, sample.sources)
  if (untold) return [{ verdict: 'INCONCLUSIVE', reason: untold }]
  const errors = errorIncrease(of, [canary, stable])
  if (of.isTraffic && canary.latency.count + stable.latency.count === 0)
    return [{ ...errors, reason: `${errors.reason}; latency is not judged, as the metrics do not tell it` }]
  return [errors, p95Increase(of, [canary, stable])]
}

type Pair = readonly [canary: Observed, stable: Observed]
type Counted = readonly [canary: number, stable: number]

function errorIncrease(of: Case, pair: Pair): Finding {
  const { limits, look } = of
  const [canary, stable] = pair
  if (canary.replies === 0 || stable.replies === 0)
    return open(of, `canary sent ${whole(canary.replies)} and stable ${whole(stable.replies)} replies`)
  const [ofCanary, ofStable] = pair.map(
    ({ errors, replies }) => `${whole(errors)} of ${whole(replies)} (${percent(errors / replies)})`,
  )
  const reason = `canary failed ${ofCanary}, stable ${ofStable}, allowed: ${points(limits.maxErrorIncrease)} more`
  const effect = effectOnDifference(of, pair)
  const errors = pair.map((observed) => observed.errors) as [number, number]
  const replies = pair.map((observed) => observed.replies) as [number, number]
  const isFault = isSurelyMore(errors, replies, effect, limits.maxErrorIncrease, look.alpha)
  const isFine = isSurelyLess(errors, replies, effect, limits.detect, look.beta)
  return finding(of, isFault, isFine, effect, [reason, ...badPods(canary.sources)])
}

/** Whether canary's share of hits is more than so much above stable's. */
function isSurelyMore([canary, stable]: Counted, [ofCanary, ofStable]: Counted, effect: number, allowed: number, alpha: number) {
  if (canary / ofCanary - stable / ofStable <= allowed) return false
  const { high } = independent(stable, ofStable, effect)
  // So few that nothing is left of them are no fault.
  return high[1] > 0 && leastDifference(...independent(canary, ofCanary, effect).low, ...high, alpha) > allowed
}

/** Whether canary's share of hits is less than so much above stable's. */
const isSurelyLess = ([canary, stable]: Counted, [ofCanary, ofStable]: Counted, effect: number, detect: number, beta: number) =>
  passes.increase(...independent(canary, ofCanary, effect).high, ...independent(stable, ofStable, effect).low, detect, beta)

/** Histograms keep three digits. */
const HAIR = 0.002

/** How slow canary may be, in milliseconds, where stable is so slow: with buckets, up to the next bound, infinite beyond the last one. */
function slowest({ sample: { bounds }, limits: { maxP95IncreaseMs } }: Case, ms: number): number {
  if (bounds.size === 0) return ms + maxP95IncreaseMs
  return Math.min(...[...bounds].filter((bound) => bound >= (ms + maxP95IncreaseMs) * (1 - HAIR))) * (1 + HAIR)
}

/**
 * What is slower than stable's 95th percentile and what is allowed, compared as errors are: a pause that hits both makes as many
 * replies of both slow.
 */
function p95Increase(of: Case, pair: Pair): Finding {
  const { limits, look } = of
  const [canary, stable] = pair
  const [msOfCanary, msOfStable] = [quantileMs(canary.latency, 0.95), quantileMs(stable.latency, 0.95)]
  const good = pair.map(({ latency }) => latency.count) as [number, number]
  if (msOfCanary === undefined || msOfStable === undefined)
    return open(of, `canary sent ${whole(good[0])} and stable ${whole(good[1])} good replies, which tells nothing of latency`)
  const allowed = limits.maxP95IncreaseMs
  const limit = slowest(of, msOfStable)
  const isBuckets = of.sample.bounds.size > 0
  const last = Math.max(...of.sample.bounds)
  const shown = (ms: number) => {
    if (!isBuckets) return milliseconds(ms)
    return ms > last * (1 + HAIR) ? `more than ${milliseconds(last)}` : `up to ${milliseconds(ms)}`
  }
  const bucket =
    isBuckets &&
    `, which its buckets tell as ${Number.isFinite(limit) ? milliseconds(limit / (1 + HAIR)) : 'more than the last one'}`
  const reason = `canary's p95 is ${shown(msOfCanary)}, stable's ${shown(msOfStable)}, allowed: ${allowed} ms more${bucket || ''}`
  const effect = effectOnSlow(of, pair, limit)
  /** How many are slower than the bounds of stable's p95 by which canary exceeds stable least, or most. */
  const slower = (by: 'least' | 'most', error: number): Counted | undefined => {
    const n = Math.floor(good[1] / effect)
    const bounds = ranksAround(n, error)?.map((rank) => slowest(of, stable.latency.percentile((rank / n) * 100) / 1000))
    const [ofCanary, ofStable] = (by === 'least' ? bounds?.toReversed() : bounds) ?? []
    if (ofCanary === undefined || ofStable === undefined) return undefined
    if (Math.max(ofCanary, ofStable) < Number.POSITIVE_INFINITY)
      return [slowerThan(canary.latency, ofCanary), slowerThan(stable.latency, ofStable)]
    // Beyond the last bound, none of them may be so slow, or all of canary's.
    return by === 'least' ? undefined : [slowerThan(canary.latency, last * (1 + HAIR)), 0]
  }
  const least = slower('least', look.alpha)
  const most = look.beta > 0 ? slower('most', look.beta) : undefined
  const isFault = least !== undefined && isSurelyMore(least, good, effect, SLOW_ALLOWED, look.alpha / 2)
  const isFine = most !== undefined && isSurelyLess(most, good, effect, SLOW_DETECTED, look.beta / 2)
  return finding(of, isFault, isFine, effect, [reason])
}
