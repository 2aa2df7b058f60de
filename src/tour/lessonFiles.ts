import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseDocument } from 'yaml'
import type { Role } from '../canary/roles.ts'
import { valuesPath } from '../canary/values/valuesReader.ts'
import type { Edits, Lesson } from './lessons.ts'

/** The chart that is copied for the learner. */
export const originalChart = join(import.meta.dirname, '../../chart')

/** Both values files as texts; the canary's is taken away with its release. */
export interface Files {
  readonly stable: string
  readonly canary: string | undefined
}

/** How the values files are to look at each point of a lesson. */
export interface LessonFiles {
  readonly start: Files
  /** After each step. */
  readonly after: readonly Files[]
  readonly end: Files
}

/** The files of a lesson: the chart's own, with the lesson's edits. */
export function lessonFiles({ start, steps, end }: Lesson): LessonFiles {
  const original = (role: Role) => readFileSync(valuesPath(originalChart, role), 'utf8')
  const first = withEdits({ stable: original('stable'), canary: original('canary') }, start)
  let files = first
  const after = steps.map((step) => {
    if ('edit' in step) files = withEdits({ ...files, canary: files.canary ?? first.canary }, { [step.edit]: step.set })
    if ('uninstall' in step) files = { ...files, canary: undefined }
    return files
  })
  return { start: first, after, end: withEdits(files, end) }
}

/** The paths that a lesson is about, in each file: the weights, and whatever it edits. */
export function editedPaths({ start = {}, steps, end = {} }: Lesson): Record<Role, string[]> {
  const all = [start, ...steps.map((step) => ('edit' in step ? { [step.edit]: step.set } : {})), end]
  const paths = (role: Role) => all.flatMap((edits: Partial<Record<Role, Edits>>) => Object.keys(edits[role] ?? {}))
  const others = (role: Role) => [...new Set(paths(role))].filter((path) => !/^traffic\.(stable|canary)$/.test(path))
  return { stable: others('stable'), canary: others('canary') }
}

const withEdits = ({ stable, canary }: Files, edits: Partial<Record<Role, Edits>> = {}): Files => ({
  stable: edited(stable, edits.stable),
  canary: canary === undefined ? undefined : edited(canary, edits.canary),
})

function edited(text: string, edits: Edits = {}): string {
  const document = parseDocument(text)
  for (const [path, value] of Object.entries(edits)) document.setIn(path.split('.'), value)
  return document.toString()
}
