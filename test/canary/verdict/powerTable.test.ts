import { expect, test } from 'vitest'
import { section } from '../../readme.ts'
import { powerTable } from './powerTable.ts'

test('the README has the table that the simulation gives', () => {
  expect(section('The verdict')).toContain(powerTable(10_000))
})
