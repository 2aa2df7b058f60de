import type { RunsHelm } from '../canary/values/valuesReader.ts'
import { type Files, lessonFiles } from './lessonFiles.ts'
import { type Lesson, lessons } from './lessons.ts'
import type { Place } from './place.ts'

/** What runs the two releases, be it the demo or a cluster. */
export interface Runner {
  readonly place: Place
  /** Reads values files. */
  readonly helm: RunsHelm
  /** Runs both releases as the values files say. */
  start(): Promise<void>
  /** Writes values files, puts them in force, and waits until that is as far as it will get; undefined takes a release away. */
  apply(files: Partial<Files>, unready?: boolean): Promise<void>
  /** Has what it started end in order. */
  end(): Promise<void>
}

/** What a lesson begins with. */
export const startOf = (number: number): Files => lessonFiles(lessons[number - 1] as Lesson).start
