import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Failure } from '../errors.ts'

/** What files hold, by their paths. */
export type Files = Readonly<Record<string, string | Buffer>>

/**
 * Has `act` run with files for Helm to read, in a folder that is gone afterwards.
 * @throws {Failure} with one line, where they cannot be written
 */
export async function withFiles<T>(files: Files, act: (folder: string) => Promise<T>): Promise<T> {
  const folder = orFailure(() => mkdtempSync(join(tmpdir(), 'canary-')))
  try {
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, name)
      orFailure(() => {
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, content)
      })
    }
    return await act(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function orFailure<T>(write: () => T): T {
  try {
    return write()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new Failure(
      `files for Helm cannot be written into ${tmpdir()} (${code ?? message}): make room there, or set TMPDIR to another folder`,
    )
  }
}
