import { describe, expect, it } from 'vitest'
import { nextStep, type PodState } from '../../src/demo/rollout.ts'

const wanted = { replicas: 2, maxSurge: 1, maxUnavailable: 0, template: { hash: 'new' } }

interface Named extends PodState {
  name: string
}

/** Pods as in `old+ new-`: their hash, and whether they are ready (+), not ready (-) or stopping (x). */
const pods = (text: string): Named[] =>
  text.split(' ').flatMap((word, index) => {
    const [hash, state] = [word.slice(0, -1), word.at(-1)]
    return word === '' ? [] : [{ name: `${index}`, template: { hash }, ready: state === '+', stopping: state === 'x' }]
  })

/** How many are started, and the places of those that are stopped. */
function step(text: string, changes: Partial<typeof wanted> = {}) {
  const { start, stop } = nextStep({ ...wanted, ...changes }, pods(text))
  return [start, stop.map(({ name }) => Number(name))]
}

describe('with room for one more and none to spare', () => {
  it.each<[string, number, number[]]>([
    ['', 2, []],
    ['new-', 1, []],
    ['new- new-', 0, []],
    ['new+ new+', 0, []],
    ['newx new+', 1, []],
    // One new pod at a time, and an old one goes for each that is ready.
    ['old+ old+', 1, []],
    ['old+ old+ new-', 0, []],
    ['old+ old+ new+', 0, [0]],
    ['oldx old+ new+', 1, []],
    ['oldx old+ new+ new-', 0, []],
    ['oldx old+ new+ new+', 0, [1]],
    // Old pods that serve nobody are not waited for.
    ['old- old-', 1, [0, 1]],
    ['old- old+', 1, [0]],
    ['old+ old- new+', 0, [1]],
    // An old pod that is ready stays, however long the new one takes.
    ['old+ new-', 1, []],
  ])('%s: starts %i, stops %j', (text, start, stop) => {
    expect(step(text)).toEqual([start, stop])
  })
})

describe('the strategy', () => {
  it('can start all new pods at once', () => {
    expect(step('old+ old+', { maxSurge: 2 })).toEqual([2, []])
  })

  it('can stop some first', () => {
    expect(step('old+ old+ old+', { replicas: 3, maxSurge: 0, maxUnavailable: 1 })).toEqual([0, [0]])
    expect(step('oldx old+ old+', { replicas: 3, maxSurge: 0, maxUnavailable: 1 })).toEqual([1, []])
  })
})

describe('another number of pods', () => {
  it('more start at once', () => {
    expect(step('new+ new+', { replicas: 5 })).toEqual([3, []])
  })

  it('the youngest go, but first those that are not ready', () => {
    expect(step('new+ new+ new+', { replicas: 2 })).toEqual([0, [2]])
    expect(step('new- new+ new+', { replicas: 2 })).toEqual([0, [0]])
    expect(step('new- new+ new+', { replicas: 1 })).toEqual([0, [0, 2]])
  })

  it('none: all go, old and new', () => {
    expect(step('old+ old+ new+ new-', { replicas: 0 })).toEqual([0, [3, 2, 0, 1]])
  })

  it('fewer, while they are replaced, counts those that stay', () => {
    expect(step('old+ old+', { replicas: 1 })).toEqual([0, [0]])
    expect(step('old+ new+ new+', { replicas: 1 })).toEqual([0, [2, 0]])
  })
})

it('an edit that is undone half-way keeps the pods that it finds', () => {
  expect(step('old+ old+ new-', { template: { hash: 'old' } })).toEqual([0, [2]])
  expect(step('oldx old+ new+', { template: { hash: 'old' } })).toEqual([1, []])
})

it.each([
  [2, 1, 0],
  [3, 0, 1],
  [5, 2, 2],
  [1, 1, 1],
])('of %i pods with %i more and %i fewer, a rollout ends, and keeps to that all along', (replicas, maxSurge, maxUnavailable) => {
  const spec = { ...wanted, replicas, maxSurge, maxUnavailable }
  let all = Array.from({ length: replicas }, () => ({ template: { hash: 'old' }, ready: true, stopping: false }))
  for (let events = 0; events < 100; events++) {
    const { start, stop } = nextStep(spec, all)
    for (const pod of stop) Object.assign(pod, { ready: false, stopping: true })
    all.push(...Array.from({ length: start }, () => ({ template: { hash: 'new' }, ready: false, stopping: false })))
    const active = all.filter(({ stopping }) => !stopping)
    expect(active.length).toBeLessThanOrEqual(replicas + maxSurge)
    expect(active.filter(({ ready }) => ready).length).toBeGreaterThanOrEqual(replicas - maxUnavailable)
    // One thing happens at a time: a pod is gone, or ready.
    const gone = all.find(({ stopping }) => stopping)
    const unready = all.find(({ ready, stopping }) => !ready && !stopping)
    if (gone) all = all.filter((pod) => pod !== gone)
    else if (unready) unready.ready = true
    else break
  }
  expect(all).toEqual(Array(replicas).fill({ template: { hash: 'new' }, ready: true, stopping: false }))
})
