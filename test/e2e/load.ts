import { Agent } from 'node:http'
import { expect } from 'vitest'
import { poll } from './cluster.ts'
import { ask, gateway, type Reply } from './gateway.ts'

export const RATE = 200
/** Ten minutes' worth: a load that nobody stops ends by itself. */
const MOST = 600 * RATE

interface Judged extends Reply {
  expected: boolean
  /** The test that was running. */
  during: string | undefined
}

/**
 * Steady requests, sent when they are due, whatever became of those before: every other one on a connection that is kept alive,
 * the rest each on a new one. None is tried again. A reply is right if it was when its request was sent, or is when it arrives:
 * whoever was asked before a change may take a while to answer.
 */
export class Load {
  readonly replies: Judged[] = []
  readonly #expected: () => Iterable<string>
  readonly #target: typeof gateway
  // In turn, so that no connection is idle for long enough for the gateway to close it.
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 20, scheduling: 'fifo' })
  readonly #pending = new Set<Promise<unknown>>()
  #timer: NodeJS.Timeout | undefined
  #startedAt = 0
  #stoppedAt = 0
  #sent = 0

  /** @param expected the answers that are right at the moment */
  constructor(expected: () => Iterable<string>, target = gateway) {
    this.#expected = expected
    this.#target = target
  }

  start(): void {
    this.#startedAt = performance.now()
    this.#timer = setInterval(() => this.#sendDue(), 5)
  }

  #sendDue(): void {
    const due = Math.min(((performance.now() - this.#startedAt) / 1000) * RATE, MOST)
    for (; this.#sent < due; this.#sent++) {
      const during = expect.getState().currentTestName
      const before = [...this.#expected()]
      const pending = ask(this.#sent % 2 === 0 && this.#agent, this.#target).then((reply) => {
        this.replies.push({ ...reply, during, expected: [...before, ...this.#expected()].includes(reply.answer) })
        this.#pending.delete(pending)
      })
      this.#pending.add(pending)
    }
  }

  /** Waits until so many more replies of a kind have come, and returns those. */
  async next(count: number, isCounted: (reply: Reply) => boolean = () => true): Promise<Reply[]> {
    const from = this.replies.length
    const counted = () => this.replies.slice(from).filter(isCounted)
    await poll(async () => expect(counted().length).toBeGreaterThanOrEqual(count))
    return counted()
  }

  /** Sends no more, and waits for what is under way. */
  async stop(): Promise<void> {
    if (!this.#timer) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#stoppedAt = performance.now()
    await Promise.all(this.#pending)
    this.#agent.destroy()
  }

  /** How long it went on, in milliseconds. */
  get duration(): number {
    return this.#stoppedAt - this.#startedAt
  }

  /** Fails with the complaint as its message: what a difference of strings shows is cut off. */
  expectNothingLost(): void {
    if (this.complaint) expect.fail(this.complaint)
  }

  /** The first of the replies that nobody expected, for a person to read; empty when there are none. */
  get complaint(): string {
    const wrong = this.replies.filter(({ expected }) => !expected)
    if (wrong.length === 0) return ''
    const lines = wrong.slice(0, 10).map(({ sentAt, answer, connection, latency, pod, during }) => {
      const at = ((sentAt - this.#startedAt) / 1000).toFixed(3)
      return `  at ${at} s: ${answer} ${pod}, after ${latency.toFixed()} ms, on a ${connection} connection, in "${during}"`
    })
    return [`${wrong.length} of ${this.replies.length} replies are missing or wrong:`, ...lines].join('\n')
  }
}
