import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Figure, figures } from './figures.ts'

const folder = join(import.meta.dirname, '../../docs/measured')

/** The README's table, in Markdown: a column for each gateway that a file of figures is named after. */
export function gatewaysTable(): string {
  const files = readdirSync(folder).toSorted().reverse()
  const columns = files.map((file) => ({
    gateway: file.replace(/\.json$/, ''),
    measured: JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<Figure, string>,
  }))
  const row = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [
    row(['what', ...columns.map(({ gateway }) => gateway)]),
    row(['---', ...columns.map(() => '---')]),
    ...Object.entries(figures).map(([name, label]) => row([label, ...columns.map(({ measured }) => measured[name as Figure])])),
  ].join('\n')
}

if (import.meta.main) console.log(gatewaysTable())
