import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')

export interface Block {
  language: string
  text: string
}

/** The text under a heading of the README, up to the next heading of any level. */
export function section(heading: string): string {
  const lines = readme.split('\n')
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading)
  if (start === -1) throw new Error(`README.md has no heading "${heading}"`)
  let fenced = false
  const end = lines.findIndex((line, index) => {
    if (line.startsWith('```')) fenced = !fenced
    return index > start && !fenced && /^#+ /.test(line)
  })
  return lines.slice(start + 1, end === -1 ? undefined : end).join('\n')
}

/** The fenced blocks under a heading, in order. */
export function blocks(heading: string): Block[] {
  return [...section(heading).matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({ language, text }))
}
