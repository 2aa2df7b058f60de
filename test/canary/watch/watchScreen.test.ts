import { expect, it } from 'vitest'
import { History } from '../../../src/canary/watch/history.ts'
import { watchScreen } from '../../../src/canary/watch/watchScreen.ts'
import { expectation, plain, sampleOf } from '../output/samples.ts'

function historyOf(seconds: [stable: number, canary: number][]): History {
  const history = new History(expectation)
  for (const [forStable, forCanary] of seconds) {
    for (let i = 0; i < forStable; i++) history.add({ version: 'v1', role: 'stable', microseconds: 1000 }, 0)
    for (let i = 0; i < forCanary; i++) history.add({ version: 'v2', role: 'canary', microseconds: 1000 }, 0)
    history.endSecond()
  }
  return history
}
const screen = (history: History, width = 80, seconds = 65) =>
  watchScreen('http://127.0.0.1:8000/version', history, { sample: history.total, seconds }, seconds, width, plain)

it("draws canary's share", () => {
  expect(
    screen(
      historyOf([
        [9, 1],
        [8, 2],
        [0, 0],
        [10, 0],
        [6, 4],
      ]),
    )
      .split('\n')
      .slice(-3),
  ).toEqual(["canary's share, second by second, up to 40 %:", '▃▅ ▁█', ''])
  expect(screen(historyOf([[10, 0]]))).not.toContain('second by second')
})

it('draws as many of the last seconds as there is room for', () => {
  const history = historyOf([...Array.from({ length: 50 }, (): [number, number] => [9, 1]), [5, 5]])
  expect(screen(history, 40).split('\n').at(-2)).toBe(`${'▂'.repeat(39)}█`)
})

it('says how long it has been, and what is only a part of it', () => {
  const history = historyOf([[9, 1]])
  expect(screen(history)).toMatch(/^http:\/\/127\.0\.0\.1:8000\/version: 10 requests in 1:05\n\n/)
  expect(screen(history, 80, 3605)).toContain('in 1:00:05')
  expect(watchScreen('u', history, { sample: sampleOf(3, 0), seconds: 1 }, 1, 80, plain)).toContain(
    'in 0:01\nthe last 3 requests:\n',
  )
})

it('says that the announced split has changed', () => {
  const history = historyOf([[9, 1]])
  history.add({ announced: 'stable=1' }, 0)
  expect(screen(history)).not.toContain('announced')
  history.add({ announced: 'canary=1' }, 0)
  expect(screen(history)).toContain('\n\nthe announced split has changed: stable=1, then canary=1\n')
})

it('says what it did not send', () => {
  const history = historyOf([[9, 1]])
  expect(screen(history)).not.toContain('not sent')
  history.total.unsent = 1200
  expect(screen(history)).toContain('1,200 requests not sent, as all --connections were busy')
})

it('says what is known of the split, since it was announced', () => {
  const history = historyOf([[180, 20]])
  expect(screen(history, 100)).toMatch(/\n\nwhether the split is right cannot be told yet: that takes about \d+ more requests\n/)
  expect(screen(historyOf([[50, 50]]))).toContain('\n\nthe split is wrong: stable answers 50 % instead of 90 %\n')
  expect(screen(new History())).not.toContain('the split')
})
