/** What came of one source in a stretch of time. */
export interface InBlock {
  replies: number
  errors: number
  /** Good replies by their latency, in steps of a quarter of an octave. */
  readonly latency: Uint32Array
}

/** What came in a stretch of time. */
export interface Block<Source> {
  requests: number
  /** Of whatever kind, by whomever. */
  errors: number
  readonly sources: Map<Source, InBlock>
}

const SHORTEST_MS = 100
const MOST = 64
const STEPS = 4
const BUCKETS = 27 * STEPS

/** Where a latency has its place in a block. */
export const bucketOf = (microseconds: number): number =>
  Math.min(BUCKETS - 1, Math.floor(Math.log2(Math.max(1, microseconds)) * STEPS))

/**
 * What came when: in 64 equal stretches of time at most, which double in length when there would be more, so that memory is flat. What
 * comes in bursts shows here.
 */
export class Blocks<Source> implements Iterable<Block<Source>> {
  #lengthMs = SHORTEST_MS
  #start: number | undefined
  #blocks: (Block<Source> | undefined)[] = []

  /** @param at in milliseconds; what is earlier than the first is counted with the first */
  add(at: number, source: Source | undefined, isError: boolean, number: number): void {
    const block = this.#at(at)
    block.requests += number
    if (isError) block.errors += number
    if (source === undefined) return
    const part = partOf(block, source)
    part.replies += number
    if (isError) part.errors += number
  }

  /** Good replies that are counted already. */
  addLatency(at: number, source: Source, microseconds: number, number: number): void {
    count(partOf(this.#at(at), source).latency, bucketOf(microseconds), number)
  }

  #at(at: number): Block<Source> {
    this.#start ??= at
    const elapsed = Math.max(0, at - this.#start)
    while (elapsed >= this.#lengthMs * MOST) this.#double()
    const index = Math.floor(elapsed / this.#lengthMs)
    this.#blocks[index] ??= { requests: 0, errors: 0, sources: new Map() }
    return this.#blocks[index]
  }

  #double(): void {
    const halves = this.#blocks
    this.#blocks = []
    this.#lengthMs *= 2
    halves.forEach((half, index) => {
      if (!half) return
      const whole = this.#blocks[index >> 1]
      if (whole) merge(whole, half)
      else this.#blocks[index >> 1] = half
    })
  }

  /** Those in which something came. */
  *[Symbol.iterator](): Iterator<Block<Source>> {
    for (const block of this.#blocks) if (block) yield block
  }
}

function partOf<Source>({ sources }: Block<Source>, source: Source): InBlock {
  const known = sources.get(source)
  if (known) return known
  const part = { replies: 0, errors: 0, latency: new Uint32Array(BUCKETS) }
  sources.set(source, part)
  return part
}

function count(latency: Uint32Array, bucket: number, number: number): void {
  latency[bucket] = (latency[bucket] ?? 0) + number
}

function merge<Source>(into: Block<Source>, from: Block<Source>): void {
  into.requests += from.requests
  into.errors += from.errors
  for (const [source, { replies, errors, latency }] of from.sources) {
    const part = partOf(into, source)
    part.replies += replies
    part.errors += errors
    latency.forEach((number, bucket) => {
      count(part.latency, bucket, number)
    })
  }
}
