import { WrongUse } from '../errors.ts'
import { type Role, roles } from '../roles.ts'
import { clean } from './clean.ts'
import { NoAnswer, type ScrapedSeries } from './prometheusClient.ts'
import { MAX_SECONDS, type Sample } from './sample.ts'

type Labels = ScrapedSeries['labels']

/** A series, as far as it counts here. */
interface Understood extends ScrapedSeries {
  readonly key: string
  /** What is scraped at once, such as a pod: its counters begin anew together. */
  readonly target: string
  /** The series of which it is a bucket; its own where it is none. */
  readonly family: string
  readonly role: Role
  readonly version: string
  readonly pod: string | undefined
  /** Undefined where no label says it. */
  readonly status: string | undefined
  /** The upper bound of a bucket in milliseconds; undefined where it is none. */
  readonly boundMs: number | undefined
}

interface ScrapeTarget {
  /** When it was scraped last, in seconds by the clock of Prometheus. */
  last: number
  /** What its series had then. */
  readonly values: Map<string, number>
}

/** What a reading of counters has found. */
export interface Reading {
  /** Whose counters were scraped anew. */
  readonly fresh: ReadonlySet<Role>
  /** Which of canary's counters began anew, by name: what they had counted since the scrape before is not known. */
  readonly begunAnew: readonly string[]
  /** How often counters are scraped, in milliseconds, as far as that shows. */
  readonly intervalMs: number | undefined
}

/** Of these, the first that is there. */
const STATUS = ['status', 'code', 'status_code', 'response_code', 'envoy_response_code_class']
const POD = ['pod', 'kubernetes_pod_name']
const NAMESPACE = ['namespace', 'kubernetes_namespace', 'exported_namespace']
const firstOf = (labels: Labels, names: readonly string[]) =>
  names.map((name) => labels[name]).find((value) => value !== undefined)

/** Requests of real traffic, by how far counters that Prometheus scrapes have grown. */
export class Traffic {
  readonly #names: Readonly<Record<Role, string>>
  readonly #namespace: string | undefined
  readonly #sample: Sample
  readonly #targets = new Map<string, ScrapeTarget>()
  /** Whether series that are no buckets count the replies: histograms then tell of latency alone. */
  #hasCounters: boolean | undefined

  /**
   * @param names of the two releases or Services, which series have in a label
   * @param namespace of series that say one; undefined for any
   */
  constructor(names: Readonly<Record<Role, string>>, namespace: string | undefined, sample: Sample) {
    this.#names = names
    this.#namespace = namespace
    this.#sample = sample
  }

  /**
   * Adds to the sample what counters have grown by since the last reading; the first one is what they grow from.
   * @param at in milliseconds on any clock; all of it is of one stretch of time, because pods are not scraped at one moment
   */
  read(scraped: readonly ScrapedSeries[], at: number): Reading {
    const understood = this.#understand(scraped)
    requireOne(understood)
    if (understood.length > 0) this.#hasCounters ??= understood.some(({ boundMs }) => boundMs === undefined)
    const isFirst = this.#targets.size === 0
    const fresh = new Set<Role>()
    const begunAnew = new Set<string>()
    const growth = new Map<Understood, number>()
    for (const [key, series] of Map.groupBy(understood, ({ target }) => target)) {
      const target = this.#targets.get(key) ?? newTarget(series, isFirst)
      this.#targets.set(key, target)
      const news = series.map((one) => ({ one, samples: one.samples.filter(([at]) => at > target.last) }))
      const resets = resetsOf(news, target.values)
      for (const { one, samples } of news) {
        if (samples.length === 0) continue
        fresh.add(one.role)
        // What was not there before, such as the first error, has grown from 0.
        let before = target.values.get(one.key) ?? 0
        let grown = 0
        for (const [at, value] of samples) {
          const isAnew = value < before || resets.has(at)
          if (isAnew && one.role === 'canary') begunAnew.add(one.pod ?? (one.target.trim() || one.version))
          grown += isAnew ? value : value - before
          before = value
        }
        target.values.set(one.key, before)
        growth.set(one, grown)
      }
      for (const { samples } of news) target.last = Math.max(target.last, samples.at(-1)?.[0] ?? 0)
    }
    for (const family of Map.groupBy(growth, ([{ family }]) => family).values()) this.#add(family, at)
    const intervalMs = intervalOf(understood)
    return { fresh, begunAnew: [...begunAnew], intervalMs }
  }

  /** What has a role, and is of the namespace. Where names of releases tell roles, the label `role` does not. */
  #understand(scraped: readonly ScrapedSeries[]): Understood[] {
    const here = scraped.filter(({ labels }) => this.#isHere(labels))
    const own = here.length > 0 ? here : scraped.filter(({ labels }) => firstOf(labels, NAMESPACE) === undefined)
    const named = own.filter(({ labels }) => this.#namedIn(labels) !== undefined)
    return (named.length > 0 ? named : own).flatMap(({ labels, samples }) => {
      const role = this.#namedIn(labels) ?? roles.find((role) => role === labels.role)
      const { __name__: metric = '', le, ...rest } = labels
      const status = firstOf(labels, STATUS)
      const isCounted = le !== undefined || (status !== undefined && !/_(sum|created)$/.test(metric))
      if (role === undefined || !isCounted) return []
      const bound = le === undefined || le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le)
      if (Number.isNaN(bound) || samples.some(([, value]) => !Number.isFinite(value)))
        throw new NoAnswer(`Prometheus has what is no number in ${clean(JSON.stringify(labels))}`)
      const family = JSON.stringify([metric, ...Object.entries(rest).toSorted()])
      const pod = firstOf(labels, POD)
      // In seconds, unless the name says otherwise, or is Envoy's.
      const unit = /millisecond|_ms(_|$)|^envoy_/.test(metric) ? 1 : 1000
      return {
        labels,
        samples,
        key: `${family} ${le}`,
        target: targetOf(labels),
        family,
        role,
        version: clean(labels.version || this.#names[role]),
        // A gateway's pod is none of canary's.
        pod: pod !== undefined && (labels.role === role || isNamed(pod, this.#names[role])) ? clean(pod) : undefined,
        status: status && clean(status),
        boundMs: le === undefined ? undefined : bound * unit,
      }
    })
  }

  /** Of a gateway's series, the label `namespace` says where the gateway is; another one names that of the Service. */
  #isHere(labels: Labels): boolean {
    const namespace = this.#namespace
    if (namespace === undefined || firstOf(labels, NAMESPACE) === namespace) return true
    if (this.#isPods(labels)) return false
    const withoutNames = (value: string) => roles.reduce((text, role) => text.replaceAll(this.#names[role], '/'), value)
    return Object.values(labels).some((value) => isNamed(withoutNames(value), namespace))
  }

  #isPods = (labels: Labels): boolean => roles.some((role) => isNamed(firstOf(labels, POD) ?? '', this.#names[role]))

  /** Whether labels are of something whose counters are read here, or should be: a pod of one of the two. */
  isScrapedHere = (labels: Labels): boolean =>
    this.#targets.has(targetOf(labels)) || (this.#isPods(labels) && this.#isHere(labels))

  /** Stable's name is also that of its route, which gateways name beside a backend. */
  #namedIn(labels: Labels): Role | undefined {
    return (['canary', 'stable'] as const).find((role) =>
      Object.values(labels).some((value) => isNamed(value, this.#names[role])),
    )
  }

  /** Adds a counter, or the buckets of a histogram. */
  #add(family: readonly (readonly [Understood, number])[], at: number): void {
    const buckets = family.toSorted(([a], [b]) => (a.boundMs ?? 0) - (b.boundMs ?? 0))
    const last = buckets.at(-1)
    if (last === undefined) return
    const [{ role, version, pod, status, boundMs }, all] = last
    const error = status?.startsWith('5') ? status : undefined
    const isCounted = status !== undefined && (boundMs === undefined || !this.#hasCounters)
    if (isCounted && all > 0) this.#sample.addReplies({ version, role, pod, error }, at, Math.round(all))
    if (boundMs === undefined || error !== undefined) return
    let below = 0
    for (const [{ boundMs = 0 }, upTo] of buckets) {
      const ms = Math.min(boundMs, MAX_SECONDS * 1000)
      if (ms === boundMs) this.#sample.bounds.add(ms)
      if (upTo > below) this.#sample.addLatency({ version, role }, ms * 1000, at, Math.round(upTo - below))
      below = Math.max(below, upTo)
    }
  }
}

/** Whether a name is in a text as a whole, such as "shop-canary" in "shop-canary-6c9f-x2v". */
function isNamed(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1))
    if (!/[a-z\d]/i.test(text[at - 1] ?? '') && !/[a-z\d]/i.test(text[at + name.length] ?? '')) return true
  return false
}

const targetOf = (labels: Labels): string =>
  clean([labels.job, labels.instance, firstOf(labels, POD)].filter((label) => label !== undefined).join(' '))

/** @throws {WrongUse} where replies would be counted twice, by counters or histograms of several names */
function requireOne(series: readonly Understood[]): void {
  for (const isBucket of [false, true]) {
    const alike = series.filter(({ boundMs }) => (boundMs !== undefined) === isBucket)
    const metrics = [...new Set(alike.map(({ labels }) => clean(labels.__name__ ?? '')))]
    if (metrics.length > 1)
      throw new WrongUse(
        `--prometheus-query finds ${isBucket ? 'histograms' : 'counters'} of several names, ${metrics.toSorted().join(', ')}: it must select one, as each may count the same replies`,
      )
  }
}

/** What it has counted until it is met first, here, is not of this traffic. */
function newTarget(series: readonly Understood[], isFirst: boolean): ScrapeTarget {
  const times = series.flatMap(({ samples }) => samples.map(([at]) => at))
  const last = times.reduce((found, at) => (isFirst === at > found ? at : found), times[0] ?? 0)
  const values = series.flatMap(({ key, samples }) => {
    const before = samples.findLast(([at]) => at <= last)
    return before ? [[key, before[1]] as const] : []
  })
  return { last, values: new Map(values) }
}

/** When most of the counters of a target were smaller than before: then it was restarted, and all of them count from 0. */
function resetsOf(news: readonly { one: Understood; samples: ScrapedSeries['samples'] }[], values: ReadonlyMap<string, number>) {
  const falls = new Map<number, { fallen: number; all: number }>()
  for (const { one, samples } of news) {
    let before = values.get(one.key) ?? 0
    for (const [at, value] of samples) {
      const { fallen, all } = falls.get(at) ?? { fallen: 0, all: 0 }
      if (before > 0) falls.set(at, { fallen: fallen + Number(value < before), all: all + 1 })
      before = value
    }
  }
  return new Set([...falls].flatMap(([at, { fallen, all }]) => (fallen > all / 2 ? at : [])))
}

/** The median of the times between the last two scrapes of each series, in milliseconds. */
function intervalOf(series: readonly Understood[]): number | undefined {
  const gaps = series.flatMap(({ samples }) => {
    const [before, last] = samples.slice(-2)
    return before && last ? (last[0] - before[0]) * 1000 : []
  })
  const median = gaps.toSorted((a, b) => a - b)[gaps.length >> 1]
  return median && Math.round(median)
}
