import { describe, expect, it } from 'vitest'
import { nextStep, percentageOf, type Situation } from '../../../src/canary/promotion/nextStep.ts'
import type { Weights } from '../../../src/canary/values/weights.ts'

const w = (text: string): Weights => {
  const [stable = 0, canary = 0] = text.split('/').map(Number)
  return { stable, canary }
}

const situation = (declared: string, rest: Partial<Situation> = {}): Situation => ({
  declared: w(declared),
  live: w(declared),
  isGiven: false,
  isRolledOut: false,
  steps: [25, 50, 100],
  passed: 0,
  ...rest,
})

describe('nextStep', () => {
  it.each([
    ['100/0', 0, '75/25'],
    ['90/10', 0, '90/10'],
    ['90/10', 10, '75/25'],
    ['75/25', 0, '75/25'],
    ['75/25', 25, '50/50'],
    ['40/60', 0, '40/60'],
    ['40/60', 60, '0/100'],
    ['2/1', 0, '2/1'],
    ['2/1', percentageOf(w('2/1')), '50/50'],
    ['0/100', 0, '0/100'],
    ['0/7', 50, '0/7'],
  ])('at %s, passed at %d %%, it judges at %s', (declared, passed, weights) => {
    const expected = { kind: 'gate', weights: w(weights), percentage: percentageOf(w(weights)) }
    expect(nextStep(situation(declared, { passed }))).toEqual(expected)
    // Whatever the route says: the files are what counts.
    expect(nextStep(situation(declared, { passed, live: w('100/0') }))).toEqual(expected)
  })

  it.each([
    ['everything has passed', situation('0/100', { passed: 100 }), 'give'],
    ['it is written, and canary serves', situation('0/100', { isGiven: true }), 'roll out'],
    ['it runs, and canary serves', situation('0/100', { isGiven: true, isRolledOut: true }), 'gate'],
    [
      'it runs and is judged, and canary serves',
      situation('0/100', { isGiven: true, isRolledOut: true, passed: 100 }),
      'hand back',
    ],
    ['there is nothing to give, and canary has a share', situation('90/10', { isGiven: true, isRolledOut: true }), 'done'],
    ['it runs, and the route is behind', situation('100/0', { isGiven: true, isRolledOut: true, live: w('0/100') }), 'gate'],
    ['it runs, and the file is behind', situation('0/100', { isGiven: true, isRolledOut: true, live: w('100/0') }), 'hand back'],
    ['it runs, and stable serves', situation('100/0', { isGiven: true, isRolledOut: true }), 'done'],
    ['it is written, and stable serves', situation('100/0', { isGiven: true }), 'refuse'],
    [
      'it is written, and stable serves according to the route',
      situation('0/100', { isGiven: true, live: w('50/50') }),
      'refuse',
    ],
    ['it is written, and stable is to serve', situation('50/50', { isGiven: true, live: w('0/100') }), 'refuse'],
  ])('when %s', (_, given, kind) => {
    expect(nextStep(given).kind).toBe(kind)
  })

  it('comes to an end from wherever it starts, never gives before the gates have passed at 100 %, nor hands back before it runs', () => {
    for (const declared of ['100/0', '90/10', '50/50', '0/100', '1/3', '0/1'])
      for (const isGiven of [false, true])
        for (const isRolledOut of [false, true])
          for (const steps of [[100], [25, 50, 100], [1, 2, 3, 100]]) {
            let now = situation(declared, { isGiven, isRolledOut: isGiven && isRolledOut, steps })
            const kinds: string[] = []
            for (let step = nextStep(now); step.kind !== 'done' && step.kind !== 'refuse'; step = nextStep(now)) {
              kinds.push(step.kind)
              expect(kinds.length).toBeLessThan(10)
              if (step.kind === 'gate') now = { ...now, declared: step.weights, live: step.weights, passed: step.percentage }
              else if (step.kind === 'hand back') {
                expect(now.isRolledOut).toBe(true)
                now = { ...now, declared: w('100/0'), live: w('100/0') }
              } else {
                expect(now.live.stable).toBe(0)
                if (step.kind === 'give') expect(now.passed).toBe(100)
                now = { ...now, isGiven: true, isRolledOut: true }
              }
            }
            expect(nextStep(now).kind).toBe(isGiven && !isRolledOut && w(declared).stable > 0 ? 'refuse' : 'done')
          }
  })
})
