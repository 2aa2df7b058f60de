import { type Role, roles } from '../roles.ts'
import type { ScrapedSeries } from './prometheusClient.ts'
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
  readonly labels: Labels
  /** When it was scraped last, in seconds by the clock of Prometheus. */
  last: number
  wasScrapedAgain: boolean
  /** What its series had then. */
  readonly values: Map<string, number>
}

/** What a reading of counters has found. */
export interface Reading {
  /** Whose counters were scraped anew. */
  readonly fresh: ReadonlySet<Role>
  /** The labels of what is not scraped any more, while others are. */
  readonly late: readonly Labels[]
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

/** Without new scrapes for so many times the usual interval, something is late. */
export const LATE = 3

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
    if (understood.length > 0) this.#hasCounters ??= understood.some(({ boundMs, status }) => boundMs === undefined && status)
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
        if (one.role === 'canary' && resets.size > 0) begunAnew.add(one.pod ?? one.target)
        // What was not there before, such as the first error, has grown from 0.
        let before = target.values.get(one.key) ?? 0
        let grown = 0
        for (const [at, value] of samples) {
          grown += resets.has(at) ? value : value - before
          before = value
        }
        target.values.set(one.key, before)
        growth.set(one, grown)
      }
      const times = news.flatMap(({ samples }) => samples.map(([at]) => at))
      target.last = Math.max(target.last, ...times)
      target.wasScrapedAgain ||= times.length > 0
    }
    for (const family of Map.groupBy(growth, ([{ family }]) => family).values()) this.#add(family, at)
    const intervalMs = intervalOf(understood)
    return { fresh, late: this.#late(intervalMs), begunAnew: [...begunAnew], intervalMs }
  }

  /** What has a role, and is of the namespace. Where names of releases tell roles, the label `role` does not. */
  #understand(scraped: readonly ScrapedSeries[]): Understood[] {
    const here = scraped.filter(({ labels }) => this.#isHere(labels))
    const own = here.length > 0 ? here : scraped.filter(({ labels }) => firstOf(labels, NAMESPACE) === undefined)
    const named = own.filter(({ labels }) => this.#namedIn(labels) !== undefined)
    return (named.length > 0 ? named : own).flatMap(({ labels, samples }) => {
      const role = this.#namedIn(labels) ?? roles.find((role) => role === labels.role)
      const { __name__: metric = '', le, ...rest } = labels
      if (role === undefined || metric.endsWith('_sum')) return []
      const pod = firstOf(labels, POD)
      const where = [labels.job, labels.instance, pod].map((label) => label ?? '').join(' ')
      // In seconds, unless the name says otherwise, or is Envoy's.
      const unit = /millisecond|_ms(_|$)|^envoy_/.test(metric) ? 1 : 1000
      return {
        labels,
        samples,
        key: JSON.stringify(Object.entries(labels).toSorted()),
        target: where,
        family: JSON.stringify([metric, ...Object.entries(rest).toSorted()]),
        role,
        version: labels.version ?? this.#names[role],
        // A gateway's pod is none of canary's.
        pod: pod !== undefined && (labels.role === role || isNamed(pod, this.#names[role])) ? pod : undefined,
        status: firstOf(labels, STATUS),
        boundMs: le === undefined ? undefined : Number(le === '+Inf' ? Number.POSITIVE_INFINITY : le) * unit,
      }
    })
  }

  /** Of a gateway's series, the label `namespace` says where the gateway is; another one names that of the Service. */
  #isHere(labels: Labels): boolean {
    const namespace = this.#namespace
    if (namespace === undefined || firstOf(labels, NAMESPACE) === namespace) return true
    const isPods = roles.some((role) => isNamed(firstOf(labels, POD) ?? '', this.#names[role]))
    return !isPods && Object.values(labels).some((value) => isNamed(value, namespace))
  }

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

  #late(intervalMs: number | undefined): Labels[] {
    const newest = Math.max(...[...this.#targets.values()].map(({ last }) => last))
    const limit = (LATE * (intervalMs ?? Number.POSITIVE_INFINITY)) / 1000
    const late = [...this.#targets.values()].filter(({ last, wasScrapedAgain }) => wasScrapedAgain && newest - last > limit)
    return late.map(({ labels }) => labels)
  }
}

/** Whether a name is in a text as a whole, such as "shop-canary" in "shop-canary-6c9f-x2v". */
function isNamed(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1))
    if (!/[a-z\d]/i.test(text[at - 1] ?? '') && !/[a-z\d]/i.test(text[at + name.length] ?? '')) return true
  return false
}

/** What it has counted until it is met first, here, is not of this traffic. */
function newTarget(series: readonly Understood[], isFirst: boolean): ScrapeTarget {
  const times = series.flatMap(({ samples }) => samples.map(([at]) => at))
  const last = isFirst ? Math.max(...times) : Math.min(...times)
  const values = series.flatMap(({ key, samples }) => {
    const before = samples.findLast(([at]) => at <= last)
    return before ? [[key, before[1]] as const] : []
  })
  return { labels: series[0]?.labels ?? {}, last, wasScrapedAgain: false, values: new Map(values) }
}

/** When counters were smaller than before: what they count, they count from 0. */
function resetsOf(news: readonly { one: Understood; samples: ScrapedSeries['samples'] }[], values: ReadonlyMap<string, number>) {
  return new Set(
    news.flatMap(({ one, samples }) =>
      samples.flatMap(([at, value], index) => (value < (samples[index - 1]?.[1] ?? values.get(one.key) ?? 0) ? at : [])),
    ),
  )
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
