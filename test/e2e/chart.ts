import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseDocument } from 'yaml'

/** A copy of the chart, whose values files the story edits as an operator would. */
export const chart = join(tmpdir(), `devops-api-e2e-${process.pid}`)

export const copyChart = () => cpSync(join(import.meta.dirname, '../../chart'), chart, { recursive: true })

export const removeChart = () => rmSync(chart, { recursive: true, force: true })

/** Changes values in place, such as `{ 'traffic.canary': 0 }`, and leaves the rest of the file as it is. */
export function edit(file: string, changes: Record<string, string | number | boolean>): void {
  const path = join(chart, file)
  const document = parseDocument(readFileSync(path, 'utf8'))
  for (const [key, value] of Object.entries(changes)) document.setIn(key.split('.'), value)
  writeFileSync(path, String(document))
}
