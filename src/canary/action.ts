import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CheckOutput } from './output/outputs.ts'

// What action.yml starts: `check`, with the action's inputs as its arguments, and what GitHub wants to know of the verdict.

const { INPUT_URL = '', INPUT_HOST, INPUT_EXPECT, INPUT_OPTIONS = '', GITHUB_OUTPUT, GITHUB_STEP_SUMMARY } = process.env

const folder = mkdtempSync(join(tmpdir(), 'canary-'))
const markdown = join(folder, 'report.md')
const more = INPUT_OPTIONS.split('\n').map((line) => line.trim())
const args = [
  ...['check', '--json', '--markdown', markdown],
  ...(INPUT_HOST ? [`--host=${INPUT_HOST}`] : []),
  ...(INPUT_EXPECT ? [`--expect=${INPUT_EXPECT}`] : []),
  ...[...more, INPUT_URL].filter(Boolean),
]
const main = join(import.meta.dirname, 'main.ts')
const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })

if (stdout) {
  const { verdict, gates } = JSON.parse(stdout) as CheckOutput
  const report = readFileSync(markdown, 'utf8')
  console.log(report)
  if (GITHUB_STEP_SUMMARY) appendFileSync(GITHUB_STEP_SUMMARY, report)
  output('verdict', verdict)
  output('json', stdout.trim())
  for (const { name, verdict, reason } of gates) {
    if (verdict === 'FAIL') annotate('error', `${verdict} ${name}`, reason)
    if (verdict === 'INCONCLUSIVE') annotate('warning', `${verdict} ${name}`, reason)
  }
}
if (stderr) annotate('error', 'canary check', stderr.trim())
rmSync(folder, { recursive: true })
process.exitCode = status ?? 1

/** https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands, "Multiline strings" */
function output(name: string, value: string): void {
  const delimiter = randomUUID()
  if (GITHUB_OUTPUT) appendFileSync(GITHUB_OUTPUT, `${name}<<${delimiter}\n${value}\n${delimiter}\n`)
}

/** A line that the runner takes for a command ends where it should, and is one command only. */
function annotate(level: 'error' | 'warning', title: string, text: string): void {
  const data = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
  const property = (text: string) => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
  console.log(`::${level} title=${property(title)}::${data(text)}`)
}
