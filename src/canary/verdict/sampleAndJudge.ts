import { WrongUse } from '../errors.ts'
import { whole } from '../format.ts'
import { type Outcome, Sample } from '../sampling/sample.ts'
import { shownUrl } from '../sampling/shownUrl.ts'
import { takeSample } from '../sampling/takeSample.ts'
import { type Target, VersionClient } from '../sampling/versionClient.ts'
import { type Expectation, parseExpectation } from './expectation.ts'
import { type Judgement, judge } from './judge.ts'
import { isSilent } from './notAsked.ts'
import { type Limits, plan } from './plan.ts'

export interface CheckOptions {
  readonly target: Target
  /** Where it is a function, the split that the gateway announces comes first; what the function throws says why there is no other. */
  readonly expectation: Expectation | (() => Promise<Expectation>)
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
export const MOST_BY_DEFAULT = 50_000

const MOST_FIRST_REPLIES = 20

/**
 * Takes a sample, of a size fixed before its first request, and judges it.
 * @throws {WrongUse} when there is nothing to compare with, or the sample would be huge
 */
export async function sampleAndJudge(options: CheckOptions): Promise<Report> {
  const { target, limits, rate, signal, onProgress } = options
  const sample = new Sample()
  const client = new VersionClient(target)
  try {
    const { expectation, expectationFrom } = await whatToExpect(client, options, sample)
    const planned = plan(expectation, limits, options.requests)
    const { requests } = planned
    if (options.requests === undefined && requests > MOST_BY_DEFAULT) {
      throw new WrongUse(`to judge so small a share or rate takes ${whole(requests)} requests: say how many with --requests`)
    }
    const started = performance.now()
    await takeSample(client, { requests, rate }, sample, isSilent, signal, () => onProgress?.(sample.requests, requests))
    const seconds = (performance.now() - started) / 1000
    return {
      url: shownUrl(target.url),
      expectation,
      expectationFrom,
      sample,
      seconds,
      ...judge(sample, planned),
    }
  } finally {
    await client.close()
  }
}

async function whatToExpect(client: VersionClient, { expectation, target, signal }: CheckOptions, sample: Sample) {
  if (typeof expectation !== 'function') return { expectation, expectationFrom: 'the caller' as const }
  const { announced, error } = await firstReply(client, signal)
  if (announced !== undefined) {
    // Not one of the sample's requests, but were the sample to announce another split, there would be two.
    sample.announced.add(announced)
    try {
      return { expectation: parseExpectation(announced), expectationFrom: 'the gateway' as const }
    } catch {
      throw new WrongUse(
        `${shownUrl(target.url)} announces a split that makes no sense, "${announced}": give one with --expect v1=90,v2=10`,
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
async function firstReply(client: VersionClient, signal: AbortSignal): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await client.ask()
    const { announced, version, microseconds } = outcome
    const isGateways = microseconds !== undefined && announced === undefined && version === undefined
    if (!isGateways || attempt === MOST_FIRST_REPLIES || signal.aborted) return outcome
  }
}
