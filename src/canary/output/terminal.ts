import { styleText } from 'node:util'
import type { RunsPrograms } from '../cluster/helmAndKubectl.ts'

/** Where the CLI writes to, what ends it early, and how it runs other programs. */
export interface Io extends RunsPrograms {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: { write(text: string): unknown }
}

/** The same for one command, which also says how it ends. */
export interface Terminal extends Io {
  exitWith(code: number): void
}

export type Style = Parameters<typeof styleText>[0]

/** Styles a text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string

/** Colours for a stream, unless it is no terminal or NO_COLOR is set. */
export const painter =
  (stream: NodeJS.WriteStream): Paint =>
  (style, text) =>
    styleText(style, text, { stream })

/** Columns to fill. A terminal may not know how many it has; what is none gets lines that are not folded too early. */
export const columnsOf = (stream: NodeJS.WriteStream): number => Math.max(30, stream.isTTY ? stream.columns || 80 : 120)

/** Folds a text between words, so that no line is longer than `columns`, if its words allow. */
export function fold(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = word
    } else line = line ? `${line} ${word}` : word
  }
  return [...lines, line]
}
