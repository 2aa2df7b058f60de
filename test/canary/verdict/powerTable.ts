import { parseExpectation } from '../../../src/canary/verdict/expectation.ts'
import { type Gate, type Judgement, judge } from '../../../src/canary/verdict/judge.ts'
import { plan } from '../../../src/canary/verdict/plan.ts'
import { seeded } from '../../seeded.ts'
import { simulate, type Truth } from './simulate.ts'

/** What the options of `check` are by default. */
export const limits = { maxErrorRate: 0.01, tolerance: 0.05, maxErrorIncrease: 0.01, maxP95IncreaseMs: 20, strict: false }

/** What may be true while a share is configured for canary. */
export const truths: Record<string, (share: number) => Truth> = {
  'nothing is wrong, the gateway spreads evenly': (share) => ({ share, spreading: 'even' }),
  'nothing is wrong, the gateway draws at random': (share) => ({ share, spreading: 'random' }),
  'both fail 0.5 %': (share) => ({ share, spreading: 'random', stableErrors: 0.005, canaryErrors: 0.005 }),
  'canary gets 10 points more': (share) => ({ share: share + 0.1, spreading: 'random' }),
  'canary gets nothing': () => ({ share: 0, spreading: 'random' }),
  "canary's Service is missing": (share) => ({ share, spreading: 'random', isMissing: true }),
  'canary fails 2 %': (share) => ({ share, spreading: 'random', canaryErrors: 0.02 }),
  'canary fails 5 %': (share) => ({ share, spreading: 'random', canaryErrors: 0.05 }),
  'canary fails 10 %': (share) => ({ share, spreading: 'random', canaryErrors: 0.1 }),
  'canary fails 20 %': (share) => ({ share, spreading: 'random', canaryErrors: 0.2 }),
}

type Verdicts = Record<Gate['verdict'], number>

const noVerdicts = (): Verdicts => ({ PASS: 0, FAIL: 0, INCONCLUSIVE: 0, 'NOT APPLICABLE': 0 })

/** How often `check`, asking as often as it does by default, comes to each verdict, of so many simulated samples. */
export function power(share: number, truth: Truth, samples: number) {
  const planned = plan(parseExpectation(`stable=${1 - share},canary=${share}`), limits)
  const random = seeded(1)
  const counts = { overall: noVerdicts(), availability: noVerdicts(), split: noVerdicts(), 'canary health': noVerdicts() }
  // Most samples come again and again, and the verdict depends on nothing else.
  const judged = new Map<string, Judgement>()
  for (let i = 0; i < samples; i++) {
    const sample = simulate(planned.requests, truth, random)
    const key = `${sample.failures.total} ${sample.sources.map(({ role, replies, errors }) => [role, replies, errors.total])}`
    const judgement = judged.get(key) ?? judge(sample, planned)
    judged.set(key, judgement)
    const { verdict, gates } = judgement
    counts.overall[verdict]++
    for (const gate of gates) counts[gate.name][gate.verdict]++
  }
  return { requests: planned.requests, ...counts }
}

/** The table in docs/verdict.md: each cell has the percentages of PASS, FAIL and INCONCLUSIVE. */
export function powerTable(samples: number): string {
  const shares = [0.01, 0.05, 0.1, 0.25, 0.5]
  const row = (cells: string[]) => `| ${cells.join(' | ')} |`
  const results = Object.entries(truths).map(([name, truth]) => ({
    name,
    cells: shares.map((share) => power(share, truth(share), samples)),
  }))
  const percentage = (number: number) => Number(((number / samples) * 100).toFixed(1))
  return [
    row(['canary is configured to get', ...shares.map((share) => `${share * 100} %`)]),
    row(['---', ...shares.map(() => '---')]),
    row(['requests', ...(results[0]?.cells ?? []).map(({ requests }) => `${requests}`)]),
    ...results.map(({ name, cells }) =>
      row([
        name,
        ...cells.map(({ overall: { PASS, FAIL, INCONCLUSIVE } }) => [PASS, FAIL, INCONCLUSIVE].map(percentage).join(' / ')),
      ]),
    ),
  ].join('\n')
}

if (import.meta.main) console.log(powerTable(10_000))
