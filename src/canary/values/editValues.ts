import { isDeepStrictEqual } from 'node:util'
import { WrongUse } from '../errors.ts'
import { editText } from './editText.ts'
import { linesToChange } from './linesToChange.ts'
import type { Values } from './values.ts'
import type { ValuesFile, ValuesReader } from './valuesReader.ts'

/**
 * A values file that says something else, and is otherwise as it was: comments, order and every byte that need not change stay. It is
 * not written yet.
 * @param wanted all that it is to say
 * @throws {WrongUse} with the lines to change by hand, when Helm would not read just that from it
 */
export async function editValues(reader: ValuesReader, file: ValuesFile, wanted: Values): Promise<ValuesFile> {
  const { path, text, values } = file
  if (isDeepStrictEqual(values, wanted)) return file
  try {
    // Its checksum is over all values.
    if ('sops' in values) throw new WrongUse('sops has encrypted it and would notice ("sops edit" does it)')
    const edited = editText(text, values, wanted)
    // Anchors, merges and much else may make a harmless edit say something else, or nothing.
    const said = await reader.text(edited, path).catch((error: unknown) => {
      if (!(error instanceof WrongUse)) throw error
    })
    if (!isDeepStrictEqual(said, wanted))
      throw new WrongUse('Helm would then read something else from it (anchors, merges, odd indentation?)')
    return { path, text: edited, values: wanted }
  } catch (error) {
    if (!(error instanceof WrongUse)) throw error
    const changes = linesToChange(text, values, wanted).join(', ')
    throw new WrongUse(`${path} cannot be edited safely, because ${error.message}: ${changes} by hand`)
  }
}
