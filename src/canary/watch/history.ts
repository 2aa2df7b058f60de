import { type Outcome, Sample } from '../sampling/sample.ts'
import { type Expectation, findExpected, parseExpectation, rolesOf } from '../verdict/expectation.ts'

const RECENT_REQUESTS = 1000
const LONGEST_TREND = 300

/** What came of a stream of requests, in all and lately, in memory that does not grow. */
export class History {
  readonly total = new Sample()
  /** What has come since the announced split has changed, if it has. */
  sinceAnnounced = new Sample()
  /** What has come since the last `endSecond`. */
  second = new Sample()
  /** Canary's share in each of the last seconds, undefined in one without requests. */
  readonly trend: (number | undefined)[] = []
  readonly #given: Expectation | undefined
  #announcement: string | undefined
  #announced: Expectation | undefined
  #recent: { outcome: Outcome; at: number }[] = []

  /** @param expectation instead of what the gateway announces */
  constructor(expectation?: Expectation) {
    this.#given = expectation
  }

  /** The split as it is configured now, as far as known. */
  get expectation(): Expectation {
    return this.#given ?? this.#announced ?? []
  }

  /** @param at a time in milliseconds */
  add(outcome: Outcome, at: number): void {
    const { announced } = outcome
    if (announced !== undefined && announced !== this.#announcement) {
      // What came under another split would only blur the picture.
      if (this.#announcement !== undefined) {
        this.#recent = []
        this.sinceAnnounced = new Sample()
      }
      this.#announcement = announced
      this.#announced = understood(announced)
    }
    for (const sample of [this.total, this.second, this.sinceAnnounced]) sample.add(outcome, at)
    this.#recent.push({ outcome, at })
    if (this.#recent.length >= 2 * RECENT_REQUESTS) this.#recent.splice(0, RECENT_REQUESTS)
  }

  /** One that was due, but not sent. */
  addUnsent(): void {
    this.total.unsent++
    this.second.unsent++
  }

  /** Begins another second, and returns the one that ends. */
  endSecond(): Sample {
    const ended = this.second
    this.second = new Sample()
    this.trend.push(this.#canaryShare(ended))
    if (this.trend.length > LONGEST_TREND) this.trend.shift()
    return ended
  }

  #canaryShare({ requests, sources }: Sample): number | undefined {
    const roles = rolesOf(this.expectation, this.total)
    const canary = sources.filter((source) => {
      const expected = findExpected(this.expectation, source)
      return (source.role ?? (expected && roles[this.expectation.indexOf(expected)])) === 'canary'
    })
    return requests === 0 ? undefined : canary.reduce((sum, { replies }) => sum + replies, 0) / requests
  }

  /** The last thousand requests, or those since the announced split has changed, and how long they took until `now`. */
  recent(now: number): { sample: Sample; seconds: number } {
    const recent = this.#recent.slice(-RECENT_REQUESTS)
    const sample = new Sample()
    for (const { outcome, at } of recent) sample.add(outcome, at)
    return { sample, seconds: Math.max(1, (now - (recent[0]?.at ?? now)) / 1000) }
  }
}

function understood(announcement: string): Expectation | undefined {
  try {
    return parseExpectation(announcement)
  } catch {
    return undefined
  }
}
