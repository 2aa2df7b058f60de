import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The README of a folder, such as integrations/flagger. */
export const readmeOf = (folder: string) => readFileSync(join(import.meta.dirname, '..', folder, 'README.md'), 'utf8')

export const readme = readmeOf('.')

export interface Block {
  language: string
  text: string
}

/** The text under a heading of a README, up to the next heading of any level. */
export function section(heading: string, text = readme): string {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading)
  if (start === -1) throw new Error(`the README has no heading "${heading}"`)
  let fenced = false
  const end = lines.findIndex((line, index) => {
    if (line.startsWith('```')) fenced = !fenced
    return index > start && !fenced && /^#+ /.test(line)
  })
  return lines.slice(start + 1, end === -1 ? undefined : end).join('\n')
}

/** The fenced blocks under a heading, in order. */
export function blocks(heading: string, text = readme): Block[] {
  return [...section(heading, text).matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({
    language,
    text,
  }))
}
