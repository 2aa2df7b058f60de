import { expect, it } from 'vitest'
import { milliseconds, percent, points } from '../../src/canary/format.ts'

it('Numbers read well', () => {
  expect([0, 0.1, 0.104, 0.9996, 1, 0.00034, 0.008].map(percent)).toEqual([
    '0 %',
    '10 %',
    '10.4 %',
    '100 %',
    '100 %',
    '0.03 %',
    '0.8 %',
  ])
  expect([0.05, 0.01, 0.005].map(points)).toEqual(['5 points', '1 point', '0.5 points'])
  expect([0.85, 9.4, 12.3, 1234.5, undefined].map(milliseconds)).toEqual(['0.85 ms', '9.4 ms', '12 ms', '1,235 ms', '–'])
})
