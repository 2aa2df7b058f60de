import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CheckOutput } from './output/outputs.ts'

// What action.yml starts: `check`, with the action's inputs as its arguments, and what GitHub wants to know of the verdict.

const { INPUT_URL = '', INPUT_HOST, INPUT_EXPECT, INPUT_OPTIONS = '', GITHUB_OUTPUT, GITHUB_STEP_SUMMARY } = process.env

const folder = mkdtempSync(join(tmpdir(), 'canary-'))
const markdown = join(folder, 'report.md')
const more = INPUT_OPTIONS.split('\n').map((line) => line.trim())
// What is needed here comes after the options, which may say it otherwise.
const args = [
  ...['check', ...more.filter(Boolean), '--json', '--markdown', markdown],
  ...(INPUT_HOST ? [`--host=${INPUT_HOST}`] : []),
  ...(INPUT_EXPECT ? [`--expect=${INPUT_EXPECT}`] : []),
  ...(INPUT_URL ? ['--', INPUT_URL] : []),
]
const main = join(import.meta.dirname, 'main.ts')
const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })

const isJudged = existsSync(markdown)
if (isJudged) {
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
else if (!isJudged)
  annotate('error', 'canary check', `options is ${JSON.stringify(INPUT_OPTIONS)}: with these, nothing is judged`)
rmSync(folder, { recursive: true })
process.exitCode = isJudged ? (status ?? 1) : status || 64

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
