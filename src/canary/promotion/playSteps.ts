import { Failure } from '../errors.ts'
import { percent } from '../format.ts'
import { showWeights } from '../values/weights.ts'
import { nextStep, type Situation, type Step } from './nextStep.ts'

export type GateStep = Extract<Step, { kind: 'gate' }>
/** Changes what stable runs or gets, without a judgement. */
export type ChangeStep = Extract<Step, { kind: 'give' | 'roll out' | 'hand back' }>

/** What comes of the steps of a promotion: they are done, or rehearsed. */
export interface Player {
  /** @param passed canary's percentage at which the gates have passed last; what is found may have to be judged again */
  look(passed: number): Promise<Situation>
  /** Before each step but the first. */
  mayGoOn(step: Step): Promise<void>
  /** Whether canary has passed; otherwise the promotion ends here. */
  gate(step: GateStep): Promise<boolean>
  change(step: ChangeStep): Promise<void>
  conclude(): Promise<void>
}

/**
 * Goes through the steps of a promotion to its end, or to the first gate that does not pass.
 * @throws {Failure} where things are in a state that no step leads on from
 */
export async function playSteps(player: Player): Promise<void> {
  let passed = 0
  for (;;) {
    const situation = await player.look(passed)
    passed = situation.passed
    const step = nextStep(situation)
    if (step.kind === 'refuse') throw new Failure(step.why)
    if (step.kind === 'done') return player.conclude()
    if (passed > 0) await player.mayGoOn(step)
    if (step.kind !== 'gate') await player.change(step)
    else if (await player.gate(step)) passed = step.percentage
    else return
  }
}

/** A step, for people. */
export function titleOf(step: GateStep | ChangeStep): string {
  if (step.kind === 'gate') return `Give canary ${percent(step.percentage / 100)}, ${showWeights(step.weights)}`
  if (step.kind === 'hand back') return 'Give stable all traffic back, 100/0'
  return 'Give stable what canary runs, while canary serves'
}

export const judgementTitleOf = ({ percentage }: GateStep): string => `Judge canary at ${percent(percentage / 100)}`
