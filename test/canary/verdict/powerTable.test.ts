import { expect, test } from 'vitest'
import { pageAt } from '../../markdown.ts'
import { powerTable } from './powerTable.ts'

test('docs/verdict.md has the table that the simulation gives', () => {
  expect(pageAt('docs/verdict.md')).toContain(powerTable(10_000))
})
