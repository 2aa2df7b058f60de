import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { Failure, WrongUse } from '../errors.ts'
import type { Role } from '../roles.ts'
import { parseValues, type Values } from './values.ts'

/** The values file of a role. */
export const valuesFile = (chart: string, role: Role): string => join(chart, `values-${role}.yaml`)

/**
 * The text of a values file, and what it says.
 * @throws {WrongUse} with one line, when it cannot be read
 */
export function readValues(path: string): { path: string; text: string; values: Values } {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such file' : code
    throw new WrongUse(`cannot read ${path} (${why}): --chart must name the chart's folder, --values files`)
  }
  return { path, text, values: parseValues(text, path) }
}

/** Writes a values file at once, whole or not at all, unless it changed since it was read. */
export async function writeValues(path: string, before: string, text: string): Promise<void> {
  const unchanged = () => readFileSync(path, 'utf8')
  if (unchanged() !== before) throw new Failure(`${path} was changed by somebody else meanwhile: look at it, and start again`)
  if (text === before) return
  await writeFileAtomic(path, text).catch(({ code, message }: NodeJS.ErrnoException) => {
    throw new Failure(`cannot write ${path} (${code ?? message}): it must be a file in a folder that can be written to`)
  })
  if (unchanged() !== text) throw new Failure(`${path} was changed by somebody else meanwhile: look at it, and start again`)
}

/**
 * What the files laid over those of stable say.
 * @throws {WrongUse} when one sets what is edited in values-stable.yaml, where it would be in vain
 */
export function readOverlays(paths: readonly string[]): Values[] {
  return paths.map((path) => {
    const { values } = readValues(path)
    const taken = [
      ...(['image', 'env'] as const).filter((key) => values[key] !== undefined),
      ...(['stable', 'canary'] as const).filter((role) => values.traffic?.[role] !== undefined).map((role) => `traffic.${role}`),
    ]
    if (taken.length > 0)
      throw new WrongUse(
        `--values ${path} sets ${taken.join(' and ')}: that must stand in values-stable.yaml alone, which is edited here`,
      )
    return values
  })
}
