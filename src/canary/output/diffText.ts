import { diff } from 'node:util'
import type { Paint } from './terminal.ts'

/** Unchanged lines that are shown around changed ones. */
const CONTEXT = 2

const linesOf = (text: string) => text.replace(/\r?\n$/, '').split(/\r?\n/)

/** An edit of a file, line by line. */
export function diffText(path: string, before: string, after: string, paint: Paint): string[] {
  const lines = diff(linesOf(before), linesOf(after))
  if (!Array.isArray(lines)) return []
  const changed = lines.flatMap(([kind], index) => (kind === 0 ? [] : [index]))
  if (changed.length === 0) return [`${path}: nothing to edit`]
  const shown = lines.flatMap(([kind, text], index) => {
    if (!changed.some((other) => Math.abs(other - index) <= CONTEXT)) return []
    if (kind === 0) return [`  ${text}`]
    return [kind > 0 ? paint('red', `- ${text}`) : paint('green', `+ ${text}`)]
  })
  return [paint('bold', path), ...shown]
}
