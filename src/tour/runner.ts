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
  /** Writes the values files that a lesson begins with, and puts them in force, which may take a moment longer. */
  begin(files: Files): Promise<void>
  /** Writes values files, puts them in force, and waits until that is as far as it will get; undefined takes a release away. */
  apply(files: Partial<Files>, unready?: boolean): Promise<void>
  /** Waits until a pod was started again after the last change, and says how; undefined where that is to be asked for. */
  restarted(): Promise<string | undefined>
  /** Has what it started end in order. */
  end(): Promise<void>
}

/** What a lesson begins with. */
export const startOf = (number: number): Files => lessonFiles(lessons[number - 1] as Lesson).start
