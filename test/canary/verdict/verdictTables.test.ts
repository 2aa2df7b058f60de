import { describe, expect, it } from 'vitest'
import { pageAt } from '../../markdown.ts'
import { ratesOf, truths } from './truths.ts'
import { bakes, bakeTable, CHECKS, cellOf } from './verdictTables.ts'

const rows = pageAt('docs/verdict.md')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.slice(2, -2).split(' | '))

// The others take long: all of them are written by "npm run verdict".
describe('docs/verdict.md', () => {
  it('has what the simulation gives', () => {
    const name = 'canary gets nothing'
    const row = rows.find(([first, ...cells]) => first === name && cells.length === 4)
    expect(row?.at(-1)).toBe(cellOf(ratesOf(0.5, truths.faulty[name](), CHECKS), CHECKS))
  })

  it('has the rows that the README states', () => {
    const readme = pageAt('README.md').matchAll(/^\| (.+) \| ([\d.]+) % \| ([\d.]+) % \| ([\d,]+) \|$/gm)
    const stated = [...readme].map(([, name, fail, pass, mean]) => [name, `${fail} / ${pass}; ${mean} (`])
    expect(stated).toHaveLength(4)
    for (const [name = '', figures = ''] of stated) {
      const row = rows.find(([first = '', ...cells]) => first.startsWith(name) && cells.some((cell) => cell.startsWith(figures)))
      expect(row, `${name}: ${figures}`).toBeDefined()
    }
  })

  it('has rates of real traffic that are kept', () => {
    // Refuses where chance does not explain how often it is wrong.
    expect(bakeTable(20).split('\n')).toHaveLength(2 + Object.keys(bakes).length)
  })

  it('has a row for each truth', () => {
    for (const name of Object.values(truths).flatMap((kinds) => Object.keys(kinds))) {
      const row = rows.find(([first]) => first === name)
      expect(row?.length, name).toBeGreaterThan(1)
    }
  })
})
