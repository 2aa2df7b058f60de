import type { Sample } from '../sampling/sample.ts'
import type { Judgement } from './gate.ts'
import { judge } from './judge.ts'
import { endingAt, type Plan } from './plan.ts'

/** Judges traffic that nobody here controls: at the first chance after each planned look, and when time is up. */
export class TrafficLooks {
  readonly #plan: Plan
  #taken = 0
  #wasTimeUp = false

  constructor(plan: Plan) {
    this.#plan = plan
  }

  /**
   * @param timeIsUp so that it may pass: before, it can only fail
   * @returns undefined where it goes on
   */
  judge(sample: Sample, timeIsUp: false | 'as planned' | 'for good'): Judgement | undefined {
    const due = this.#plan.looks.filter(({ requests }) => requests <= sample.requests).length
    const isLast = timeIsUp === 'for good'
    if (due === this.#taken && !isLast && (!timeIsUp || this.#wasTimeUp)) return undefined
    this.#taken = due
    this.#wasTimeUp ||= timeIsUp !== false
    const judgement = judge(sample, endingAt(this.#plan, sample.requests))
    return judgement.verdict === 'FAIL' || (timeIsUp && judgement.verdict === 'PASS') || isLast ? judgement : undefined
  }
}
