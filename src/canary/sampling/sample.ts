import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { Blocks } from './blocks.ts'

/** The longest time that a request may take. */
export const MAX_SECONDS = 60

/** The most requests of one sample for commands that move traffic. */
export const MOST_REQUESTS = 1_000_000

/** Different versions, errors, pods or splits that are told apart; a confused server could send new ones for ever. */
const MOST_TOLD_APART = 20
const OTHERS = '(others)'

/** What a gateway answers itself when it is asked too often: the request never came to anybody who could have answered well or badly. */
export const REFUSED = '429 without a version'

/** What became of one request. */
export interface Outcome {
  /** Absent where nobody said it. */
  version?: string | undefined
  role?: string | undefined
  pod?: string | undefined
  /** The split that the route says it is configured to, such as "stable=90, canary=10". */
  announced?: string | undefined
  /** Why it failed, such as "500", "500 without a version" or "timeout"; absent for a good reply. */
  error?: string | undefined
  /** How long the whole reply took. */
  microseconds?: number | undefined
  /** The number of the connection that was kept for it; absent where it had one of its own. */
  connection?: number | undefined
}

/** How often each of a few texts occurred; those beyond the first 20 are counted together. */
export class Counts extends Map<string, number> {
  add(text: string, number = 1): void {
    const key = this.has(text) || this.size < MOST_TOLD_APART ? text : OTHERS
    this.set(key, (this.get(key) ?? 0) + number)
  }

  get total(): number {
    return this.values().reduce((sum, count) => sum + count, 0)
  }

  toJSON(): Record<string, number> {
    return Object.fromEntries(this)
  }
}

/** Those who answer with the same version in the same role; either may be unknown, and of good replies both. */
export interface Source {
  readonly version: string | undefined
  readonly role: string | undefined
  /** All replies, errors included. */
  replies: number
  /** Replies that were errors, by kind. */
  readonly errors: Counts
  readonly pods: Counts
  /** Replies that were errors, by the pod that sent them. */
  readonly podErrors: Counts
  /** Replies by the number of the connection that they came on, where it was kept. */
  readonly connections: Map<number, number>
  /** Microseconds that the good replies took, to three digits. */
  readonly latency: RecordableHistogram
}

/** Without values yet. Errors have no place in it: a fast one would make up for slow replies. */
export const emptyLatency = (): RecordableHistogram => createHistogram({ lowest: 1, highest: MAX_SECONDS * 1e6, figures: 3 })

/** The value in milliseconds below which the share `q` of the replies lies; undefined without replies. */
export const quantileMs = (latency: RecordableHistogram, q: number): number | undefined =>
  latency.count > 0 ? latency.percentile(q * 100) / 1000 : undefined

/** How many replies took longer. */
export function slowerThan(latency: RecordableHistogram, ms: number): number {
  if (latency.count === 0 || latency.max <= ms * 1000) return 0
  // Ranks from 1: the first is not slower, or there is none; the second is.
  let [rank, slower] = [0, latency.count]
  while (slower - rank > 1) {
    const middle = (rank + slower) >> 1
    if (latency.percentile((middle / latency.count) * 100) > ms * 1000) slower = middle
    else rank = middle
  }
  return latency.count - rank
}

/** What became of a number of requests, in memory that does not grow with it. */
export class Sample {
  /** All of them: whatever a request came to, it counts. */
  requests = 0
  /** Requests beside these that were due at a rate, but not sent, because all connections were busy. */
  unsent = 0
  /** Those who answered; versions beyond the first 20 are one source. */
  readonly sources: Source[] = []
  /** Requests that nobody answered with a version, by what came instead. */
  readonly failures = new Counts()
  /** The splits that replies announced. */
  readonly announced = new Counts()
  /** Of the buckets in which latency is known, in milliseconds, where it is not known exactly. */
  readonly bounds = new Set<number>()
  /** What came when. */
  readonly blocks = new Blocks<Source>()

  /** @param at when it came, in milliseconds on any clock */
  add({ version, role, pod, announced, error, microseconds, connection }: Outcome, at = performance.now()): void {
    if (announced !== undefined) this.announced.add(announced)
    if (version === undefined && role === undefined && error !== undefined) {
      this.requests++
      this.failures.add(error)
      if (error !== REFUSED) this.blocks.add(at, undefined, true, 1)
      return
    }
    const source = this.addReplies({ version, role, pod, error }, at, 1)
    if (connection !== undefined) source.connections.set(connection, (source.connections.get(connection) ?? 0) + 1)
    if (error === undefined && microseconds !== undefined) this.#record(source, microseconds, at, 1)
  }

  /**
   * Counts replies that are all alike.
   * @returns whose they are
   */
  addReplies({ version, role, pod, error }: Outcome, at: number, number: number): Source {
    this.requests += number
    const source = this.#source(version, role)
    source.replies += number
    this.blocks.add(at, source, error !== undefined, number)
    if (error !== undefined) source.errors.add(error, number)
    if (pod !== undefined) {
      source.pods.add(pod, number)
      if (error !== undefined) source.podErrors.add(pod, number)
    }
    return source
  }

  /** What good replies took, which are counted already. */
  addLatency({ version, role }: Pick<Outcome, 'version' | 'role'>, microseconds: number, at: number, number: number): void {
    this.#record(this.#source(version, role), microseconds, at, number)
  }

  #record(source: Source, microseconds: number, at: number, number: number): void {
    const recorded = Math.min(Math.max(1, Math.round(microseconds)), MAX_SECONDS * 1e6)
    for (let times = 0; times < number; times++) source.latency.record(recorded)
    this.blocks.addLatency(at, source, recorded, number)
  }

  /** All errors by kind, whoever sent them. */
  get errors(): Counts {
    const all = new Counts(this.failures)
    for (const { errors } of this.sources) for (const [kind, number] of errors) all.set(kind, (all.get(kind) ?? 0) + number)
    return all
  }

  #source(version: string | undefined, role: string | undefined): Source {
    const find = (version?: string, role?: string) =>
      this.sources.find((source) => source.version === version && source.role === role)
    const isFull = this.sources.length >= MOST_TOLD_APART
    const known = find(version, role) ?? (isFull ? find(OTHERS) : undefined)
    if (known) return known
    const identity = isFull ? { version: OTHERS, role: undefined } : { version, role }
    const source = {
      ...identity,
      replies: 0,
      errors: new Counts(),
      pods: new Counts(),
      podErrors: new Counts(),
      connections: new Map(),
      latency: emptyLatency(),
    }
    this.sources.push(source)
    return source
  }

  /** As JSON, in which each key is always there. */
  toJSON() {
    const { requests, unsent, failures, announced } = this
    const sources = this.sources.map(({ version, role, replies, errors, pods, podErrors, latency }) => {
      const ms = (q: number) => quantileMs(latency, q) ?? null
      return {
        version: version ?? null,
        role: role ?? null,
        replies,
        errors: errors.toJSON(),
        pods: pods.toJSON(),
        podErrors: podErrors.toJSON(),
        latencyMs: { p50: ms(0.5), p95: ms(0.95), p99: ms(0.99) },
      }
    })
    return { requests, unsent, sources, failures: failures.toJSON(), announced: announced.toJSON() }
  }
}
