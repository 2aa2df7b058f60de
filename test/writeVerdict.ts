import { writeFileSync } from 'node:fs'
import { verdictTables } from './canary/verdict/verdictTables.ts'
import { pageAt } from './markdown.ts'

// Writes the tables of docs/verdict.md, each between its comment and the next: npm run verdict. It takes a quarter of an hour.
const PAGE = 'docs/verdict.md'

for (const [name, table] of verdictTables()) {
  const [begin, end] = [`<!-- simulated: ${name} -->\n`, '<!-- end -->']
  const [before, rest] = pageAt(PAGE).split(begin)
  if (rest === undefined) throw new Error(`${PAGE} has no place for its table "${name}"`)
  writeFileSync(PAGE, `${before}${begin}\n${table}\n\n${rest.slice(rest.indexOf(end))}`)
  console.log(`${name}:\n${table}\n`)
}
