import { describe, expect, it } from 'vitest'
import { type Outcome, Sample } from '../../../src/canary/sampling/sample.ts'
import type { Expectation } from '../../../src/canary/verdict/expectation.ts'
import { judge } from '../../../src/canary/verdict/judge.ts'
import { type Limits, plan } from '../../../src/canary/verdict/plan.ts'
import { limits } from './samples.ts'

const expectation: Expectation = [
  { role: 'stable', share: 0.9 },
  { role: 'canary', share: 0.1 },
]
const good = plan(expectation, limits, { requests: 100 })

function sample(): Sample {
  const taken = new Sample()
  const outcomes: Outcome[] = [
    { version: 'v1', role: 'stable', microseconds: 1000 },
    { version: 'v1', role: 'stable', error: '500' },
    { version: 'v2', role: 'canary', microseconds: 1000 },
    { error: 'timeout' },
  ]
  for (const outcome of outcomes) taken.add(outcome)
  return taken
}

/** What has come of a mistake elsewhere, such as a text where a number was meant. */
const none = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, '90', undefined, null] as number[]
const rates = ['tolerance', 'maxErrorRate', 'maxErrorIncrease', 'detect', 'maxP95IncreaseMs'] as const

describe.each(none)('%j', (value) => {
  const shown = typeof value === 'number' ? `${value}` : JSON.stringify(value)

  it.each([0, 1])('as share %i is refused', (index) => {
    const wrong = expectation.with(index, { ...(expectation[index] as Expectation[number]), share: value })
    const error = new TypeError(`the share of ${expectation[index]?.role} is ${shown}: it must be a number from 0 to 1`)
    expect(() => plan(wrong, limits)).toThrow(error)
    expect(() => judge(sample(), { ...good, expectation: wrong })).toThrow(error)
  })

  it.each(rates)('as %s is refused', (name) => {
    const wrong: Limits = { ...limits, [name]: value }
    const error = new TypeError(`${name} is ${shown}: it must be a finite number, 0 or more`)
    expect(() => plan(expectation, wrong)).toThrow(error)
    expect(() => judge(sample(), { ...good, limits: wrong })).toThrow(error)
  })

  const spoil: [string, (taken: Sample) => void][] = [
    ['the number of requests', (taken) => Object.assign(taken, { requests: value })],
    ['the number of "timeout"', (taken) => taken.failures.set('timeout', value)],
    ['the number of replies from v1 stable', (taken) => Object.assign(taken.sources[0] ?? {}, { replies: value })],
    ['the number of "500"', (taken) => taken.sources[0]?.errors.set('500', value)],
  ]
  it.each(spoil)('as %s is refused', (name, spoilt) => {
    const taken = sample()
    spoilt(taken)
    expect(() => judge(taken, good)).toThrow(new TypeError(`${name} is ${shown}: it must be a whole number, 0 or more`))
  })
})

it.each(none.filter((value) => value !== undefined))('%j as a number of requests is refused', (value) => {
  expect(() => plan(expectation, limits, { requests: value })).toThrow(
    /^the number of requests is .*: it must be a whole number, 0 or more$/,
  )
})
