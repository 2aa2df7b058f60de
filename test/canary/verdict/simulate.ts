import type { RecordableHistogram } from 'node:perf_hooks'
import type { Block } from '../../../src/canary/sampling/blocks.ts'
import { Counts, emptyLatency, Sample, type Source } from '../../../src/canary/sampling/sample.ts'
import type { Expectation } from '../../../src/canary/verdict/expectation.ts'
import type { Judgement } from '../../../src/canary/verdict/gate.ts'
import { isSticky } from '../../../src/canary/verdict/isSticky.ts'
import { judge } from '../../../src/canary/verdict/judge.ts'
import type { Plan } from '../../../src/canary/verdict/plan.ts'
import { TrafficLooks } from '../../../src/canary/verdict/trafficLooks.ts'

/** How many of `n` trials hit, each with probability `p`. It jumps from hit to hit. */
export function binomial(n: number, p: number, random: () => number): number {
  if (p > 0.5) return n - binomial(n, 1 - p, random)
  if (p <= 0) return 0
  let hits = 0
  for (let trial = -1; ; hits++) {
    trial += 1 + Math.floor(Math.log(1 - random()) / Math.log1p(-p))
    if (trial >= n) return hits
  }
}

/** The true state of things. */
export interface Truth {
  /** Canary's true share, 0 to 1; the rest is stable's. */
  share: number
  /** Sticky: each of 20 connections is with one backend, which is drawn at random. */
  spreading: 'even' | 'random' | 'sticky'
  stableErrors?: number
  canaryErrors?: number
  /** In these milliseconds of so many, all fail, besides. */
  bursts?: { ms: number; every: number; of: 'both' | 'canary' }
  /** The gateway answers for canary, with 500. */
  isMissing?: boolean
  /** How long a good reply takes, in milliseconds; 1 where it plays no part. */
  latency?: { stable: (random: () => number) => number; canary: (random: () => number) => number }
  /** In these milliseconds of so many, nobody answers before they are over; at random, both are means of exponential distributions. */
  pauses?: { ms: number; every: number; of: 'both' | 'canary'; areRandom?: boolean }
}

/** How `check` asks, after so many requests: at 1000 a second in the end, after a slow start. */
const rateAfter = (requests: number) => (requests < 600 ? Math.max(200, requests / 0.6) : 1000)
const BLOCK_MS = 100
const MOST_BLOCKS = 64
const CONNECTIONS = 20

// Where latency plays no part, all replies take the same.
const alike = new Map<number, RecordableHistogram>()
function alikeLatency(count: number): RecordableHistogram {
  // Beyond this, it does not matter how many there are.
  const capped = Math.min(count, 2000)
  const known = alike.get(capped)
  if (known) return known
  const latency = emptyLatency()
  for (let i = 0; i < capped; i++) latency.record(1000)
  alike.set(capped, latency)
  return latency
}
const noLatency = new Uint32Array(1)

/** A service and a gateway, which can be asked for more and more. */
class Simulated {
  readonly sample = new Sample()
  readonly #truth: Truth
  readonly #random: () => number
  readonly #sources: { stable: Source; canary: Source }
  #now = 0
  #blocks: Block<Source>[] = []
  #blockMs = BLOCK_MS
  /** Where in their periods they are at the start. */
  readonly #phase: number
  /** The one that is next, or now. */
  #pause: { from: number; until: number } | undefined
  /** An even gateway is somewhere in its cycle. */
  #credit: number
  readonly #isCanarys: boolean[]

  constructor(truth: Truth, random: () => number) {
    this.#truth = truth
    this.#random = random
    this.#phase = random()
    this.#credit = random()
    this.#isCanarys = Array.from({ length: CONNECTIONS }, () => random() < truth.share)
    const source = (role: 'stable' | 'canary'): Source => ({
      version: role === 'stable' ? 'v1' : 'v2',
      role,
      replies: 0,
      errors: new Counts(),
      pods: new Counts(),
      podErrors: new Counts(),
      connections: new Map(),
      latency: emptyLatency(),
    })
    this.#sources = { stable: source('stable'), canary: source('canary') }
    if (!truth.latency) Object.defineProperty(this.sample, 'blocks', { get: () => this.#blocks })
  }

  /** Goes on until there are so many requests. */
  ask(until: number): void {
    while (this.sample.requests < until) {
      const { requests } = this.sample
      const rate = rateAfter(requests)
      if (this.#truth.latency) {
        this.#one(this.#now)
        this.#now += 1000 / rate
        continue
      }
      // To the end of a stretch of time.
      const ms = BLOCK_MS - (this.#now % BLOCK_MS)
      const number = Math.min(until - requests, Math.max(1, Math.round((rate * ms) / 1000)))
      this.#block(this.#now, number, (number / rate) * 1000)
      this.#now += (number / rate) * 1000
    }
  }

  /** Counts alone, which is fast. */
  #block(at: number, number: number, ms: number): void {
    const { share, stableErrors = 0, canaryErrors = 0, isMissing = false } = this.#truth
    const { stable, canary } = this.#sources
    const index = Math.floor(at / this.#blockMs)
    this.#blocks[index] ??= { requests: 0, errors: 0, sources: new Map() }
    const block = this.#blocks[index] as Block<Source>
    const failing = this.#inBurst(at, ms)
    let ofCanary: number
    if (this.#truth.spreading === 'random') ofCanary = binomial(number, share, this.#random)
    else if (this.#truth.spreading === 'sticky') ofCanary = this.#byConnection(number)
    else {
      this.#credit += number * share
      ofCanary = Math.floor(this.#credit)
      this.#credit -= ofCanary
    }
    this.sample.requests += number
    block.requests += number
    const answer = (source: Source, replies: number, rate: number) => {
      if (replies === 0) return
      if (source.replies === 0) this.sample.sources.push(source)
      const errors = binomial(replies, rate, this.#random)
      source.replies += replies
      if (errors > 0) source.errors.set('500', (source.errors.get('500') ?? 0) + errors)
      Object.assign(source, { latency: alikeLatency(source.replies - source.errors.total) })
      block.errors += errors
      const part = block.sources.get(source) ?? { replies: 0, errors: 0, latency: noLatency }
      part.replies += replies
      part.errors += errors
      block.sources.set(source, part)
    }
    const burst = this.#truth.bursts?.of
    const rate = (own: number, isHit: boolean) => (isHit ? own + (1 - own) * failing : own)
    answer(stable, number - ofCanary, rate(stableErrors, burst === 'both'))
    if (!isMissing) answer(canary, ofCanary, rate(canaryErrors, burst !== undefined))
    else if (ofCanary > 0) {
      this.sample.failures.set('500 without a version', (this.sample.failures.get('500 without a version') ?? 0) + ofCanary)
      block.errors += ofCanary
    }
    if (this.#blocks.length >= MOST_BLOCKS) this.#halve()
  }

  #halve(): void {
    const before = this.#blocks
    this.#blocks = []
    this.#blockMs *= 2
    before.forEach((block, index) => {
      const into = this.#blocks[index >> 1]
      if (!into) {
        this.#blocks[index >> 1] = block
        return
      }
      into.requests += block.requests
      into.errors += block.errors
      for (const [source, { replies, errors }] of block.sources) {
        const part = into.sources.get(source) ?? { replies: 0, errors: 0, latency: noLatency }
        part.replies += replies
        part.errors += errors
        into.sources.set(source, part)
      }
    })
  }

  /** The part of a stretch of time that a burst takes. */
  #inBurst(at: number, length: number): number {
    const { bursts } = this.#truth
    if (!bursts) return 0
    const start = (at + this.#phase * bursts.every) % bursts.every
    const overlap = (from: number) => Math.max(0, Math.min(start + length, from + bursts.ms) - Math.max(start, from))
    return (overlap(0) + overlap(bursts.every)) / length
  }

  #byConnection(number: number): number {
    let ofCanary = 0
    for (let i = 0; i < number; i++) {
      const connection = Math.floor(this.#random() * CONNECTIONS)
      const isCanarys = this.#isCanarys[connection] as boolean
      const { connections } = this.#sources[isCanarys ? 'canary' : 'stable']
      connections.set(connection, (connections.get(connection) ?? 0) + 1)
      if (isCanarys) ofCanary++
    }
    return ofCanary
  }

  #one(at: number): void {
    const { share, spreading, stableErrors = 0, canaryErrors = 0, latency, pauses } = this.#truth
    this.#credit += share
    const isCanarys = spreading === 'even' ? this.#credit >= 1 : this.#random() < share
    if (isCanarys) this.#credit -= 1
    const role = isCanarys ? 'canary' : 'stable'
    const isError = this.#random() < (isCanarys ? canaryErrors : stableErrors)
    let ms = latency?.[role](this.#random) ?? 1
    if (pauses && (pauses.of === 'both' || isCanarys)) {
      const long = (mean: number) => (pauses.areRandom ? -mean * Math.log(1 - this.#random()) : mean)
      this.#pause ??= { from: -this.#phase * pauses.every, until: -this.#phase * pauses.every + long(pauses.ms) }
      while (at >= this.#pause.until) {
        const from: number = this.#pause.until + long(pauses.every - pauses.ms)
        this.#pause = { from, until: from + long(pauses.ms) }
      }
      if (at >= this.#pause.from) ms += this.#pause.until - at
    }
    const outcome = { version: isCanarys ? 'v2' : 'v1', role, error: isError ? '500' : undefined, microseconds: ms * 1000 }
    this.sample.add(outcome, at)
  }
}

/** What a check might come to, and after how many requests in all. */
export function simulateCheck(truth: Truth, expectation: Expectation, plan: Plan, random: () => number) {
  let thrownAway = 0
  for (let spreading = truth.spreading; ; spreading = 'random') {
    const simulated = new Simulated({ ...truth, spreading }, random)
    const { sample } = simulated
    let judgement: Judgement | undefined
    let sticky = false
    for (const look of plan.looks) {
      simulated.ask(look.requests)
      judgement = judge(sample, plan)
      const isSplitWrong = judgement.gates.some(({ name, verdict }) => name === 'split' && verdict === 'FAIL')
      sticky = spreading === 'sticky' && isSticky(sample, expectation, isSplitWrong)
      if (sticky || judgement.verdict !== 'INCONCLUSIVE') break
    }
    if (!sticky) return { ...(judgement as Judgement), sample, requests: sample.requests + thrownAway }
    // Asked anew, each request is a draw.
    thrownAway += sample.requests
  }
}

/** Of real traffic: how many requests a second, and how long it is judged at least. */
export const BAKE = { perSecond: 50, scrapedEvery: 5, seconds: 600 }

/** What ten minutes of real traffic come to, and how many seconds that took. */
export function simulateBake({ share, stableErrors = 0, canaryErrors = 0, bursts }: Truth, plan: Plan, random: () => number) {
  const sample = new Sample()
  const looks = new TrafficLooks(plan)
  const { perSecond, scrapedEvery, seconds } = BAKE
  const phase = random()
  for (let second = scrapedEvery; ; second += scrapedEvery) {
    // By day and by night: more or less traffic.
    const requests = Math.round(perSecond * scrapedEvery * (0.5 + random()))
    const ofCanary = binomial(requests, share, random)
    const isBurst = bursts && (second * 1000 + phase * bursts.every) % bursts.every < scrapedEvery * 1000
    const hit = isBurst ? bursts.ms / (scrapedEvery * 1000) : 0
    const add = (role: string, replies: number, rate: number) => {
      const errors = binomial(replies, rate, random)
      if (errors > 0) sample.addReplies({ version: role, role, error: '500' }, second * 1000, errors)
      sample.addReplies({ version: role, role }, second * 1000, replies - errors)
      sample.addLatency({ version: role, role }, 1000, second * 1000, replies - errors)
    }
    add('canary', ofCanary, canaryErrors + (1 - canaryErrors) * hit)
    add('stable', requests - ofCanary, stableErrors + (bursts?.of === 'both' ? (1 - stableErrors) * hit : 0))
    const judgement = looks.judge(sample, second >= 2 * seconds ? 'for good' : second >= seconds && 'as planned')
    if (judgement) return { ...judgement, seconds: second }
  }
}
