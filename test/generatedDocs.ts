import { commandsTable, optionsTables } from './canary/optionsTables.ts'
import { valuesTable } from './chart/describedValues.ts'
import { gatewaysTable } from './e2e/gatewaysTable.ts'
import { pageAt } from './markdown.ts'

/** What stands between `<!-- generated: NAME -->` and `<!-- end -->`, by page and name. */
const parts: Record<string, Record<string, () => string | Promise<string>>> = {
  'chart/README.md': { values: valuesTable },
  'docs/canary.md': { commands: commandsTable, options: optionsTables },
  'docs/measured.md': { gateways: gatewaysTable },
}

export const generatedPages = Object.keys(parts)

/** A page as it should be: with its generated parts up to date. */
export async function upToDate(path: string): Promise<string> {
  let page = pageAt(path)
  for (const [name, generate] of Object.entries(parts[path] ?? {})) {
    const [begin, end] = [`<!-- generated: ${name} -->\n`, '<!-- end -->']
    const [before, rest] = page.split(begin)
    const after = rest?.slice(rest.indexOf(end))
    if (!after?.startsWith(end)) throw new Error(`${path} has no place for its generated part "${name}"`)
    page = `${before}${begin}\n${await generate()}\n\n${after}`
  }
  return page
}
