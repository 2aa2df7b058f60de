import { readFileSync } from 'node:fs'
import writeFileAtomic from 'write-file-atomic'
import { Failure } from '../errors.ts'

/**
 * Writes a values file at once, whole or not at all, with the mode it has and behind the link that it may be.
 * @param before its text when it was read
 * @throws {Failure} when somebody has changed it since, or it cannot be written
 */
export async function writeValues(path: string, before: string, text: string): Promise<void> {
  if (!says(path, before)) throw new Failure(`${path} was changed by somebody else meanwhile: look at it, and start again`)
  if (text === before) return
  await writeFileAtomic(path, text).catch(({ code, message }: NodeJS.ErrnoException) => {
    throw new Failure(`cannot write ${path} (${code ?? message}): it must be a file in a folder that can be written to`)
  })
  if (!says(path, text)) throw new Failure(`${path} was changed by somebody else meanwhile: look at it, and start again`)
}

function says(path: string, text: string): boolean {
  try {
    return readFileSync(path, 'utf8') === text
  } catch {
    return false
  }
}
