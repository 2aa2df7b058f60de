import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type Role, roles } from '../canary/roles.ts'
import { valuesPath } from '../canary/values/valuesReader.ts'
import { type Files, originalChart } from './lessonFiles.ts'

/** The chart that a learner edits: a copy, which can be changed without fear, and thrown away. */
export const CHART = 'tour/chart'
const PROGRESS = 'tour/progress.json'

/** Where the tour runs, and what has been done of it, by the numbers of lessons. */
export interface Progress {
  /** Where the gateway listens. */
  readonly url?: string | undefined
  /** The Host header it wants, where any will not do. */
  readonly host?: string | undefined
  readonly done: readonly number[]
  /** Whose question was answered. */
  readonly answered: readonly number[]
}

export function readProgress(): Progress {
  return existsSync(PROGRESS) ? JSON.parse(readFileSync(PROGRESS, 'utf8')) : { done: [], answered: [] }
}

export function noteProgress(change: Partial<Progress>): void {
  writeFileSync(PROGRESS, `${JSON.stringify({ ...readProgress(), ...change })}\n`)
}

/** Forgets what was done of a lesson, and of those after it. */
export function forgetFrom(number: number): void {
  const { done, answered } = readProgress()
  const isBefore = (other: number) => other < number
  noteProgress({ done: done.filter(isBefore), answered: answered.filter(isBefore) })
}

/** Copies the chart, unless it has been. */
export function prepare(): void {
  if (!existsSync(CHART)) cpSync(originalChart, CHART, { recursive: true })
}

/** Writes those values files that say something else, and removes one that is not to be there. Returns whose changed. */
export function writeFiles(files: Partial<Files>): Role[] {
  const changed = roles.filter((role) => role in files && textOf(valuesPath(CHART, role)) !== files[role])
  for (const role of changed) {
    const text = files[role]
    if (text === undefined) rmSync(valuesPath(CHART, role))
    else writeFileSync(valuesPath(CHART, role), text)
  }
  return changed
}

const textOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined)
