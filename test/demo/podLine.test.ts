import { expect, it } from 'vitest'
import { podLine } from '../../src/demo/podLine.ts'

const entry = (level: number, fields: object = {}) => JSON.stringify({ level, time: 1, msg: 'm', ...fields })

it.each<[string, boolean, string | undefined]>([
  [entry(30), false, undefined],
  [entry(30), true, 'm'],
  [entry(20, { method: 'GET', status: 200, list: [1] }), true, 'm method=GET status=200 list=[1]'],
  [entry(40), false, 'm'],
  [entry(50, { err: { type: 'Error', message: 'why', stack: 'Error: why\n at' }, url: '/' }), false, 'm: why url=/'],
  ['devops-api cannot start: PORT', false, 'devops-api cannot start: PORT'],
  ['{"level":"high"}', false, '{"level":"high"}'],
  ['{', false, '{'],
  ['null', false, 'null'],
  ['', false, ''],
])('of %s, verbose %s, one reads %s', (line, verbose, expected) => {
  expect(podLine(line, verbose)).toBe(expected)
})
