import { setTimeout as sleep } from 'node:timers/promises'
import { Interrupted, WrongUse } from '../errors.ts'
import { count } from '../format.ts'
import { type Role, roles } from '../roles.ts'
import { clean } from '../sampling/clean.ts'
import { NoAnswer, PrometheusClient } from '../sampling/prometheusClient.ts'
import { Sample } from '../sampling/sample.ts'
import { type Reading, Traffic } from '../sampling/traffic.ts'
import type { Expectation } from './expectation.ts'
import { inconclusive, type Judgement } from './gate.ts'
import { type Limits, plan } from './plan.ts'
import type { Report } from './sampleAndJudge.ts'
import { TrafficLooks } from './trafficLooks.ts'

/** Where real traffic is counted, and how long it is judged. */
export interface TrafficSettings {
  readonly prometheus: URL
  /** Of series: buckets of a histogram, counters, or both. */
  readonly selector: string
  /** The least time, in milliseconds. */
  readonly bake: number
}

export interface TrafficOptions extends TrafficSettings {
  /** Of the two releases or Services, as labels have them. */
  readonly names: Readonly<Record<Role, string>>
  readonly namespace?: string | undefined
  readonly expectation: Expectation
  readonly limits: Limits
  /** How often the whole command judges, by default once: its error rates are for all of it. */
  readonly steps?: number
  /** In milliseconds: how long metrics may be missing, and how long to go on after the least time where there was too little traffic. */
  readonly patience: number
  readonly signal: AbortSignal
  /** Called after each reading, with what is missing, if anything is. */
  readonly onProgress?: (elapsedMs: number, sample: Sample, trouble: string | undefined) => void
}

/** How far back the first reading goes: long enough for two scrapes. */
const FIRST_SECONDS = 150
/** Readings are as far apart as scrapes. */
const INTERVAL_MS = { unknown: 5000, least: 200, most: 60_000 }
/** Without a new scrape for so many intervals, metrics are missing. */
const LATE = 3

/** How far a bake has come, for people. */
export const progressText = (bake: number, elapsedMs: number, { requests }: Sample, trouble = ''): string =>
  `${Math.floor(elapsedMs / 1000)} s of ${bake / 1000} s, ${count(requests, 'request')}${trouble && `; ${trouble}`}`

/** @throws {WrongUse} where no Prometheus answers at that address, or it does not understand the selector */
export async function requirePrometheus({ prometheus, selector }: TrafficSettings, signal: AbortSignal): Promise<void> {
  try {
    await new PrometheusClient(prometheus, signal).scraped(selector, 1)
  } catch (error) {
    if (signal.aborted) throw new Interrupted('interrupted')
    if (!(error instanceof NoAnswer)) throw error
    throw new WrongUse(`${error.message}: --prometheus must be where one answers, such as http://127.0.0.1:9090`)
  }
}

/**
 * Judges real traffic, as Prometheus counts it, for the least time given, or until it is worse than allowed. PASS comes at the end alone.
 * Missing metrics are no PASS.
 * @throws {WrongUse} where Prometheus does not understand the selector
 */
export async function judgeTraffic(options: TrafficOptions): Promise<Report> {
  const { expectation, limits, steps = 1, names, namespace, bake, patience, signal, onProgress } = options
  const client = new PrometheusClient(options.prometheus, signal)
  const sample = new Sample()
  const traffic = new Traffic(names, namespace, sample)
  const looks = new TrafficLooks(plan(expectation, limits, { steps, isTraffic: true }))
  const missing = new Missing(options, client, traffic)
  const started = performance.now()
  let readAt: number | undefined
  let intervalMs = INTERVAL_MS.unknown
  for (;;) {
    const now = performance.now()
    let reading: Reading | undefined
    try {
      const seconds = readAt === undefined ? FIRST_SECONDS : (now - readAt + LATE * intervalMs) / 1000
      reading = traffic.read(await client.scraped(options.selector, seconds), now)
      readAt = now
      intervalMs = Math.min(Math.max(reading.intervalMs ?? intervalMs, INTERVAL_MS.least), INTERVAL_MS.most)
      await missing.look(reading, intervalMs)
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error
      missing.say(error.message, now)
    }
    const elapsed = performance.now() - started
    onProgress?.(elapsed, sample, missing.what)
    const conclude = (judgement: Judgement): Report => ({
      url: client.url,
      from: 'real traffic',
      expectation,
      expectationFrom: 'the caller',
      connections: null,
      // The service itself counts what a retry hides.
      mayHide: [],
      sample,
      seconds: elapsed / 1000,
      ...judgement,
    })
    if (signal.aborted) return conclude(inconclusive(`ended after ${Math.round(elapsed / 1000)} s of ${bake / 1000} s`))
    const isTimeUp = elapsed >= bake && missing.what === undefined
    const judgement = looks.judge(sample, isTimeUp && (elapsed >= bake + patience ? 'for good' : 'as planned'))
    if (judgement) return conclude(judgement)
    if (reading && reading.begunAnew.length > 0) return conclude(inconclusive(begunAnewText(reading.begunAnew)))
    if (missing.since !== undefined && performance.now() - missing.since > patience)
      return conclude(inconclusive(`${missing.what}`))
    await sleep(intervalMs, undefined, { signal }).catch(() => {})
  }
}

/** Which metrics are missing, and since when. */
class Missing {
  /** On the clock of `performance.now`; undefined where nothing is missing. */
  since: number | undefined
  what: string | undefined
  readonly #options: TrafficOptions
  readonly #client: PrometheusClient
  readonly #traffic: Traffic
  readonly #freshAt = new Map<Role, number>()
  /** When metrics were read first. */
  #startedAt: number | undefined

  constructor(options: TrafficOptions, client: PrometheusClient, traffic: Traffic) {
    this.#options = options
    this.#client = client
    this.#traffic = traffic
  }

  say(what: string, since: number): void {
    this.what = what
    this.since ??= since
  }

  async look({ fresh }: Reading, intervalMs: number): Promise<void> {
    const now = performance.now()
    this.#startedAt ??= now
    for (const role of fresh) this.#freshAt.set(role, now)
    const { names, expectation, selector } = this.#options
    const wanted = roles.filter((role) => !expectation.some((expected) => expected.role === role && expected.share === 0))
    for (const role of wanted) {
      const at = this.#freshAt.get(role)
      const since = at ?? this.#startedAt
      if (now - since <= LATE * intervalMs) continue
      const none = `Prometheus has no metrics of ${role}: no series of ${selector} that is scraped names ${names[role]}`
      const late = `Prometheus has had no new metrics of ${role} for ${Math.round((now - since) / 1000)} s`
      return this.say(at === undefined ? none : late, since)
    }
    const failing = (await this.#client.down()).find(this.#traffic.isScrapedHere)
    if (failing) return this.say(`Prometheus cannot scrape ${clean(nameOfTarget(failing))}`, now)
    this.what = undefined
    this.since = undefined
  }
}

const nameOfTarget = ({ pod, kubernetes_pod_name, instance = 'a pod' }: Readonly<Record<string, string>>) =>
  pod ?? kubernetes_pod_name ?? instance

const begunAnewText = (pods: readonly string[]) =>
  `the counters of ${pods.join(', ')} began anew, as when a container is restarted: what they had counted by then is not known`
