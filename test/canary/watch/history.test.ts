import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import type { Outcome } from '../../../src/canary/sampling/sample.ts'
import { parseExpectation } from '../../../src/canary/verdict/expectation.ts'
import { History } from '../../../src/canary/watch/history.ts'

const of = (version: string, role?: string, more: Outcome = {}): Outcome => ({ version, role, ...more })

it('has all, and the last thousand since the announced split has changed', () => {
  const history = new History()
  for (let i = 0; i < 2500; i++) history.add(of('v1', 'stable', { announced: 'stable=1' }), i * 10)
  expect(history.recent(25_000)).toMatchObject({ sample: { requests: 1000 }, seconds: 10 })
  expect(history.sinceAnnounced.requests).toBe(2500)
  history.add(of('v2', 'canary', { announced: 'canary=1' }), 25_000)
  history.add({ error: 'timeout' }, 25_000)
  history.add(of('v2', 'canary', { announced: 'canary=1' }), 25_000)
  expect(history.recent(27_000)).toMatchObject({ sample: { requests: 3 }, seconds: 2 })
  expect(history.sinceAnnounced.requests).toBe(3)
  expect(history.total.requests).toBe(2503)
})

it('keeps what came before the first announcement', () => {
  const history = new History()
  history.add({ error: 'timeout' }, 0)
  history.add(of('v1', 'stable', { announced: 'stable=1' }), 0)
  expect(history.recent(0)).toMatchObject({ sample: { requests: 2 }, seconds: 1 })
})

it('expects what it is told, else what is announced at last', () => {
  const told = new History(parseExpectation('v1=1'))
  told.add(of('v1', 'stable', { announced: 'stable=50,canary=50' }), 0)
  expect(told.expectation).toEqual([{ version: 'v1', share: 1 }])
  const left = new History()
  expect(left.expectation).toEqual([])
  left.add(of('v1', 'stable', { announced: 'stable=50,canary=50' }), 0)
  left.add(of('v1', 'stable', { announced: 'stable=100' }), 0)
  expect(left.expectation).toEqual([{ role: 'stable', share: 1 }])
  left.add(of('v1', 'stable', { announced: 'nonsense' }), 0)
  expect(left.expectation).toEqual([])
})

it("keeps canary's share of each second, for five minutes", () => {
  const history = new History()
  history.endSecond()
  for (const role of ['stable', 'canary', 'stable', 'stable']) history.add(of('v1', role), 0)
  expect(history.endSecond().requests).toBe(4)
  history.add({ error: 'timeout' }, 0)
  history.add(of('v1', 'canary'), 0)
  history.endSecond()
  expect(history.trend).toEqual([undefined, 0.25, 0.5])
  for (let i = 0; i < 1000; i++) history.endSecond()
  expect(history.trend).toHaveLength(300)
})

it('knows canary by what is expected, where replies say no role', () => {
  const history = new History(parseExpectation('v1=50,v2=50'))
  history.add(of('v1'), 0)
  history.add(of('v2'), 0)
  history.add(of('v3'), 0)
  history.add(of('v2'), 0)
  history.endSecond()
  expect(history.trend).toEqual([0.5])
})

it('lets go of what is long past', () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const history = new History()
  const first = (() => {
    const outcome = of('v1')
    history.add(outcome, 0)
    return new WeakRef(outcome)
  })()
  for (let i = 0; i < 3000; i++) history.add(of('v1'), 0)
  return new Promise<void>((resolve) => {
    setImmediate(() => {
      collectGarbage()
      expect(first.deref()).toBeUndefined()
      resolve()
    })
  })
})

it('counts what was not sent, in all and in each second', () => {
  const history = new History()
  history.addUnsent()
  expect(history.endSecond().unsent).toBe(1)
  history.addUnsent()
  expect([history.second.unsent, history.total.unsent]).toEqual([1, 2])
})
