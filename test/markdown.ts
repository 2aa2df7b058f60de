import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The text of a page, by its path in the repository, such as docs/cluster.md. */
export const pageAt = (path: string) => readFileSync(join(import.meta.dirname, '..', path), 'utf8')

/** The README of a folder, such as integrations/flagger. */
export const readmeOf = (folder: string) => pageAt(`${folder}/README.md`)

export interface Block {
  language: string
  text: string
}

/** The headings of a page, without what only looks like one in a fenced block. */
export function headings(text: string): string[] {
  return [...text.replaceAll(/^```.*?^```$/gms, '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading)
}

/** The text under a heading of a page, up to the next heading of any level. */
export function section(heading: string, text: string): string {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading)
  if (start === -1) throw new Error(`the page has no heading "${heading}"`)
  let fenced = false
  const end = lines.findIndex((line, index) => {
    if (line.startsWith('```')) fenced = !fenced
    return index > start && !fenced && /^#+ /.test(line)
  })
  return lines.slice(start + 1, end === -1 ? undefined : end).join('\n')
}

/** The fenced blocks under a heading, in order. */
export function blocks(heading: string, text: string): Block[] {
  return [...section(heading, text).matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({
    language,
    text,
  }))
}

/** The cells of the rows under a heading that begin with code, without the heads of their tables. */
export const codeRows = (heading: string, text: string): string[][] =>
  section(heading, text)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')))

/** A table, from its head and rows. */
export function markdownTable(head: string[], rows: string[][]): string {
  // Outside of code, a "<" would begin a tag.
  const escaped = (cell: string) =>
    cell.replaceAll('|', '\\|').replaceAll(/`[^`]*`|</g, (found) => (found === '<' ? '&lt;' : found))
  const line = (cells: string[]) => `| ${cells.map(escaped).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
