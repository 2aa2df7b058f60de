import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readText } from './valuesReader.ts'

export const PREFIX = 'canary.devops-api/'

/** What a chart's Chart.yaml says for this CLI, by name without the prefix; nothing where there is no chart, or it cannot be read. */
export async function chartAnnotations(chart: string): Promise<Readonly<Record<string, string>>> {
  const path = join(chart, 'Chart.yaml')
  const text = existsSync(path) ? readText(path) : ''
  if (!text.includes(PREFIX)) return {}
  const { parse } = await import('yaml')
  const annotations = Object.entries(annotationsIn(parse, text) ?? {})
  return Object.fromEntries(
    annotations.flatMap(([name, value]) => (name.startsWith(PREFIX) ? [[name.slice(PREFIX.length), `${value}`]] : [])),
  )
}

function annotationsIn(parse: (text: string) => unknown, text: string): object | null | undefined {
  try {
    return (parse(text) as { annotations?: object | null } | null)?.annotations
  } catch {
    // Who needs its name says what is wrong.
    return undefined
  }
}
