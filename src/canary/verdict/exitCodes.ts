import type { Verdict } from './gate.ts'

/** What a verdict is to a shell. */
export const exitCodes: Record<Verdict, number> = { PASS: 0, FAIL: 1, INCONCLUSIVE: 2 }
