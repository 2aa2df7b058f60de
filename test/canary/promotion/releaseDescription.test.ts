import { expect, it } from 'vitest'
import { type Change, describeChange, parseDescription } from '../../../src/canary/promotion/releaseDescription.ts'

const weights = { stable: 50, canary: 50 }
const judged = { verdict: 'PASS', percentage: 25, requests: 800, gates: [] } as const

it.each<[string, Change]>([
  ['canary shift: move traffic; weights 50/50', { command: 'shift', step: 'move traffic', weights }],
  [
    'canary promote: give canary 50 %; weights 50/50; after PASS at 25 %, 800 requests',
    { command: 'promote', step: 'give canary 50 %', weights, judged },
  ],
  [
    'canary promote: take traffic back; weights 50/50; after FAIL at 33.3 %, 1 request, canary health, split; because a; b, "c"',
    {
      command: 'promote',
      step: 'take traffic back',
      weights,
      judged: { verdict: 'FAIL', percentage: 33.3, requests: 1, gates: ['canary health', 'split'] },
      because: 'a; b, "c"',
    },
  ],
])('%s', (text, change) => {
  expect(describeChange(change)).toBe(text)
  expect(parseDescription(text)).toEqual(change)
})

it('A reason is one line', () => {
  expect(describeChange({ command: 'rollback', step: 's', weights, because: ' a\n b\t' })).toBe(
    'canary rollback: s; weights 50/50; because a b',
  )
  expect(describeChange({ command: 'rollback', step: 's', weights, because: ' ' })).toBe('canary rollback: s; weights 50/50')
})

it.each(['Upgrade complete', 'Install complete', '', 'Rollback to 3', 'canary shift', 'canary undo: x; weights 1/2'])(
  '"%s" is not ours',
  (text) => {
    expect(parseDescription(text)).toBeUndefined()
  },
)
