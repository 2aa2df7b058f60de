import { join } from 'node:path'
import { parse } from 'yaml'
import { WrongUse } from '../errors.ts'
import { readText } from './valuesReader.ts'

/**
 * What a chart's Chart.yaml calls it.
 * @param chart its folder
 * @throws {WrongUse} with one line, when that cannot be read, or says no name
 */
export function chartName(chart: string): string {
  const path = join(chart, 'Chart.yaml')
  const text = readText(path)
  const name = nameIn(text)
  if (typeof name !== 'string' || name === '') throw new WrongUse(`${path} says no name: it must have one, such as "name: shop"`)
  return name
}

function nameIn(text: string): unknown {
  try {
    return (parse(text) as { name?: unknown } | null)?.name
  } catch {
    return undefined
  }
}
