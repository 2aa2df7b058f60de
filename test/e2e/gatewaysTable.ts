import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { markdownTable } from '../markdown.ts'
import { type Figures, figures } from './figures.ts'

const folder = join(import.meta.dirname, '../../docs/measured')

/** The table in docs/measured.md: a column for each gateway that a file of figures is named after. */
export function gatewaysTable(): string {
  const files = readdirSync(folder).toSorted().reverse()
  const measured = files.map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Partial<Figures>)
  return markdownTable(
    ['what', ...files.map((file) => file.replace(/\.json$/, ''))],
    Object.entries(figures).map(([name, label]) => [
      label,
      ...measured.map((column) => column[name as keyof Figures] ?? 'not measured'),
    ]),
  )
}
