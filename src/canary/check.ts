import { Asker, type Target } from './asker.ts'
import { declaredSplit } from './declaredSplit.ts'
import { type Expectation, parseExpectation } from './expectation.ts'
import { whole } from './format.ts'
import { type Judgement, judge } from './judge.ts'
import { type Limits, plan } from './plan.ts'
import { type Outcome, Sample } from './sample.ts'
import { sampling } from './sampling.ts'
import { WrongUse } from './wrongUse.ts'

export interface CheckOptions {
  readonly target: Target
  /** Without one, what the gateway announces, else what the chart's values files declare. */
  readonly expectation?: Expectation | undefined
  /** The chart's folder. */
  readonly chart: string
  readonly limits: Limits
  /** The size of the sample; by default so many that each gate can pass. */
  readonly requests?: number | undefined
  /** Requests a second on average, at most. */
  readonly rate: number
  /** Ends the sample early; what is judged then is what there is. */
  readonly signal: AbortSignal
  /** Called after each request. */
  readonly onProgress?: (done: number, requests: number) => void
}

export interface Report extends Judgement {
  readonly url: string
  readonly expectation: Expectation
  readonly expectationFrom: 'the caller' | 'the gateway' | 'the values files'
  readonly sample: Sample
  readonly seconds: number
}

/** More than this must be asked for. */
const MOST_BY_DEFAULT = 50_000

const MOST_FIRST_REPLIES = 20

/**
 * Takes a sample, of a size fixed before its first request, and judges it.
 * @throws {WrongUse} when there is nothing to compare with, or the sample would be huge
 */
export async function check(options: CheckOptions): Promise<Report> {
  const { target, limits, rate, signal, onProgress } = options
  const sample = new Sample()
  const asker = new Asker(target)
  try {
    const { expectation, expectationFrom } = await whatToExpect(asker, options, sample)
    const planned = plan(expectation, limits, options.requests)
    const { requests } = planned
    if (options.requests === undefined && requests > MOST_BY_DEFAULT) {
      throw new WrongUse(`to judge so small a share or rate takes ${whole(requests)} requests: say how many with --requests`)
    }
    const started = performance.now()
    await sampling(
      asker,
      { requests, rate },
      (outcome) => {
        sample.add(outcome)
        onProgress?.(sample.requests, requests)
      },
      signal,
    )
    const seconds = (performance.now() - started) / 1000
    return {
      url: target.url.href,
      expectation,
      expectationFrom,
      sample,
      seconds,
      ...judge(sample, planned),
    }
  } finally {
    await asker.close()
  }
}

async function whatToExpect(asker: Asker, { expectation, chart, target, signal }: CheckOptions, sample: Sample) {
  if (expectation) return { expectation, expectationFrom: 'the caller' as const }
  const { announced, error } = await firstReply(asker, signal)
  if (announced !== undefined) {
    // Not one of the sample's requests, but were the sample to announce another split, there would be two.
    sample.announced.add(announced)
    try {
      return { expectation: parseExpectation(announced), expectationFrom: 'the gateway' as const }
    } catch {
      throw new WrongUse(
        `${target.url} announces a split that makes no sense, "${announced}": give one with --expect v1=90,v2=10`,
      )
    }
  }
  try {
    return { expectation: declaredSplit(chart), expectationFrom: 'the values files' as const }
  } catch (cause) {
    const silence = `${target.url} announces no split${error === undefined ? '' : ` (${error})`}`
    throw new WrongUse(
      `nothing to compare with: ${silence}, and ${(cause as Error).message}; give --expect v1=90,v2=10, or the chart's folder with --chart`,
    )
  }
}

/** The first reply by a service: a gateway's own errors may lack what the route adds. */
async function firstReply(asker: Asker, signal: AbortSignal): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await asker.ask()
    const { announced, version, microseconds } = outcome
    const isGateways = microseconds !== undefined && announced === undefined && version === undefined
    if (!isGateways || attempt === MOST_FIRST_REPLIES || signal.aborted) return outcome
  }
}
