import { expect, it } from 'vitest'
import { Spread } from '../../src/demo/spread.ts'

const turns = (spread: Spread<{ name: string; weight: number }>, n: number) =>
  Array.from({ length: n }, () => spread.next()?.name ?? '-').join('')

const spread = (weights: Record<string, number>) =>
  new Spread(Object.entries(weights).map(([name, weight]) => ({ name, weight })))

it('gives 10 of any 100 turns to a tenth, never two in a row', () => {
  const given = turns(spread({ s: 90, c: 10 }), 400)
  for (let start = 0; start <= 300; start++) expect(given.slice(start, start + 100).split('c')).toHaveLength(11)
  expect(given).not.toContain('cc')
  expect(given.split('c').slice(1, -1)).toEqual(Array(39).fill('s'.repeat(9)))
})

it.each([
  [{ a: 5, b: 1, c: 1 }, 'aabacaa'],
  [{ a: 50, b: 50 }, 'abab'],
  [{ a: 1_000_000, b: 999_999 }, 'abababab'],
  [{ a: 1 }, 'aaa'],
  [{ a: 0, b: 3 }, 'bbb'],
  [{ a: 0 }, '--'],
  [{}, '--'],
])('of %j, the turns are %s', (weights, expected) => {
  expect(turns(spread(weights), expected.length)).toBe(expected)
})

it.each([
  [1, 99],
  [37, 63],
  [2, 3],
])('gives exactly %i and %i of their sum', (a, b) => {
  const given = turns(spread({ a, b }), a + b)
  expect(given.split('a')).toHaveLength(a + 1)
})
