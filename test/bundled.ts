import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { bundle } from '../build.ts'

/** What is published, made for the tests of one file: the folder that is the image's /app. */
export async function bundled(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bundled-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  await bundle(folder)
  return folder
}
