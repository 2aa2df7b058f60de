import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseDocument } from 'yaml'

const root = join(import.meta.dirname, '../..')
const copy = join(tmpdir(), `devops-api-e2e-${process.pid}`)

/** A copy of the chart, whose files the story edits as an operator would; the copy of `integrations` lies beside it. */
export const chart = join(copy, 'chart')

export function copyChart(): void {
  for (const folder of ['chart', 'integrations']) cpSync(join(root, folder), join(copy, folder), { recursive: true })
  const { GATEWAY_CLASS } = process.env
  if (GATEWAY_CLASS) edit('values.yaml', { 'gateway.className': GATEWAY_CLASS })
}

export const removeChart = () => rmSync(copy, { recursive: true, force: true })

/** Changes a file of the chart in place, such as `{ 'traffic.canary': 0 }`, and leaves the rest of it as it is. */
export function edit(file: string, changes: Record<string, string | number | boolean | string[]>): void {
  const path = join(chart, file)
  const document = parseDocument(readFileSync(path, 'utf8'))
  for (const [key, value] of Object.entries(changes)) document.setIn(key.split('.'), value)
  writeFileSync(path, String(document))
}
