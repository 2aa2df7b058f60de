import { WrongUse } from '../errors.ts'
import { roles } from '../roles.ts'
import type { Values } from './values.ts'
import type { ValuesReader } from './valuesReader.ts'

/**
 * What the files laid over those of stable say.
 * @throws {WrongUse} when one sets what is edited in values-stable.yaml, where it would be in vain
 */
export async function readOverlays(reader: ValuesReader, paths: readonly string[]): Promise<Values[]> {
  const files = await Promise.all(paths.map((path) => reader.file(path)))
  return files.map(({ path, values }) => {
    const taken = roles.filter((role) => values.traffic?.[role] !== undefined).map((role) => `traffic.${role}`)
    if (taken.length > 0)
      throw new WrongUse(
        `--values ${path} sets ${taken.join(' and ')}: that must stand in values-stable.yaml alone, which is edited here`,
      )
    return values
  })
}
