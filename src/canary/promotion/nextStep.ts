import type { Weights } from '../values/weights.ts'

/** What the next step of a promotion depends on. */
export interface Situation {
  /** As values-stable.yaml has them. */
  readonly declared: Weights
  /** As the route has them; where no cluster is asked, as declared. */
  readonly live: Weights
  /** values-stable.yaml gives stable's pods what canary's have. */
  readonly isGiven: boolean
  /** Stable's pods are as canary's, every one. */
  readonly isRolledOut: boolean
  /** Canary's percentages to stop at, the last of which is 100. */
  readonly steps: readonly number[]
  /** Canary's percentage at which the gates have passed last; 0 for none. */
  readonly passed: number
}

export type Step =
  /** Canary gets this share, and the gates are asked. */
  | { readonly kind: 'gate'; readonly weights: Weights; readonly percentage: number }
  /** Stable's pods are given what canary's have, while canary serves. */
  | { readonly kind: 'give' }
  /** The same, where it is written already. */
  | { readonly kind: 'roll out' }
  /** Stable takes all requests. */
  | { readonly kind: 'hand back' }
  | { readonly kind: 'done' }
  | { readonly kind: 'refuse'; readonly why: string }

/** Canary's percentage. */
export const percentageOf = ({ stable, canary }: Weights): number =>
  stable + canary === 0 ? 0 : (canary / (stable + canary)) * 100

/**
 * The next step of a promotion. It depends on how things are, never on how they came to be so: whoever continues what was
 * interrupted, at whatever point, does the same as who did not stop.
 */
export function nextStep({ declared, live, isGiven, isRolledOut, steps, passed }: Situation): Step {
  if (isGiven) {
    const isInterrupted = declared.stable === 0 || live.stable === 0
    if (!isRolledOut) {
      if ([declared, live].every(({ stable }) => stable === 0)) return { kind: 'roll out' }
      return {
        kind: 'refuse',
        why: 'values-stable.yaml gives stable what canary runs, but stable does not run it, and still serves: apply that edit with helm upgrade, or take it back',
      }
    }
    if (!isInterrupted) return { kind: 'done' }
    // Whoever was interrupted cannot show what was judged before.
    if (passed === 0 && live.canary > 0) return { kind: 'gate', weights: live, percentage: percentageOf(live) }
    return { kind: 'hand back' }
  }
  // Where canary has a share already, it is judged there first, beside stable.
  const current = percentageOf(declared)
  if (current > passed) return { kind: 'gate', weights: declared, percentage: current }
  const next = steps.find((step) => step > passed)
  if (next === undefined) return { kind: 'give' }
  return { kind: 'gate', weights: { stable: 100 - next, canary: next }, percentage: next }
}
