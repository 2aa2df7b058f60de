import { Sample } from '../../../src/canary/sampling/sample.ts'
import { parseExpectation } from '../../../src/canary/verdict/expectation.ts'
import { judge } from '../../../src/canary/verdict/judge.ts'
import type { Limits, Plan } from '../../../src/canary/verdict/plan.ts'

/** What the options of `check` are by default. */
export const limits: Limits = {
  maxErrorRate: 0.01,
  maxErrorIncrease: 0.01,
  detect: 0.03,
  tolerance: 0.05,
  maxP95IncreaseMs: 20,
  strict: false,
}

export interface Group {
  version?: string
  role?: string
  announced?: string
  pod?: string
  /** How often each outcome comes: `ok`, or an error. */
  [outcome: string]: string | number | undefined
}

const SECONDS = 6

/** A sample by hand, in which each outcome of each group comes evenly over six seconds. All good replies take the milliseconds given. */
export function sampleOf(groups: Group[], ms: (group: Group, index: number) => number = () => 2): Sample {
  const outcomes = groups.flatMap((group) => {
    const { version, role, announced, pod, ...numbers } = group
    return Object.entries(numbers).flatMap(([outcome, count]) =>
      Array.from({ length: Number(count) }, (_, index) => ({
        at: ((index + 0.5) / Number(count)) * SECONDS * 1000,
        outcome: {
          version,
          role,
          announced,
          pod,
          error: outcome === 'ok' ? undefined : outcome,
          microseconds: ms(group, index) * 1000,
        },
      })),
    )
  })
  const sample = new Sample()
  for (const { at, outcome } of outcomes.toSorted((a, b) => a.at - b.at)) sample.add(outcome, at)
  return sample
}

export const stable = { version: 'v1', role: 'stable' }
export const canary = { version: 'v2', role: 'canary' }

export interface Options {
  expect?: string
  limits?: Partial<Limits>
  alpha?: number
  beta?: number
  /** The size of the look, if the sample has not come so far. */
  requests?: number
  enough?: number
}

/** The plan of a single look, at the end of the sample as a rule. */
export function planOf(sample: Sample, options: Options = {}): Plan {
  const { expect = 'stable=90,canary=10', limits: some = {}, alpha = 1e-4, beta = 0.005 } = options
  const { requests = sample.requests, enough = Number.POSITIVE_INFINITY } = options
  const looks = [{ requests, alpha, beta }]
  return { expectation: parseExpectation(expect), limits: { ...limits, ...some }, looks, isTraffic: false, usual: 1000, enough }
}

export const judged = (sample: Sample, options?: Options) => judge(sample, planOf(sample, options))
