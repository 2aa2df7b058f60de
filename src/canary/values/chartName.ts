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
  const name = nameIn(path)
  if (typeof name === 'string' && name !== '') return name
  const said = name === undefined ? 'no name' : `the name ${JSON.stringify(name)}`
  throw new WrongUse(`${path} says ${said}: it must have one, such as "name: shop"`)
}

function nameIn(path: string): unknown {
  const text = readText(path, 'give the folder of a chart, which has it')
  try {
    return (parse(text) as { name?: unknown } | null)?.name
  } catch (error) {
    throw new WrongUse(`${path} is not YAML: ${(error as Error).message.split('\n', 1)[0]?.replace(/:$/, '')}`)
  }
}
