export type Verdict = 'PASS' | 'FAIL' | 'INCONCLUSIVE'

/** What is judged, and what came of it. */
export interface Gate {
  readonly name: 'availability' | 'split' | 'canary health'
  readonly verdict: Verdict | 'NOT APPLICABLE'
  /** One sentence, with the numbers. */
  readonly reason: string
}

export interface Judgement {
  readonly verdict: Verdict
  readonly gates: readonly Gate[]
}

/** Where nothing can be judged, for one reason. */
export const inconclusive = (reason: string): Judgement => ({
  verdict: 'INCONCLUSIVE',
  gates: (['availability', 'split', 'canary health'] as const).map((name) => ({ name, verdict: 'INCONCLUSIVE', reason })),
})
