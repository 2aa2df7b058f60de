import { run } from '../canary/cli.ts'
import type { Io } from '../canary/output/terminal.ts'
import { Counts } from '../canary/sampling/sample.ts'
import { VersionClient } from '../canary/sampling/versionClient.ts'
import { choices } from './choices.ts'
import { type Files, lessonFiles } from './lessonFiles.ts'
import { lessons, type Step } from './lessons.ts'
import { lessonParts } from './lessonText.ts'
import { type Runner, startOf } from './runner.ts'
import { Screen } from './screen.ts'
import { whatIsMissing } from './whatIsMissing.ts'

/** Nobody is there who would lose theirs, and machines can be busy. */
const PATIENCE_MS = 120_000

/** Does the lessons by itself, from one on. Returns whether all of them came out as they should. */
export async function auto(first: number, runner: Runner, io: Io): Promise<boolean> {
  const screen = new Screen(io.stdout)
  for (const [index, lesson] of lessons.entries()) {
    const number = index + 1
    if (number < first) continue
    if (number > first) await runner.apply(startOf(number))
    screen.title(number, runner.place)
    const { why, steps, see, question } = lessonParts(number, runner.place)
    screen.show(why)
    const { after } = lessonFiles(lesson)
    for (const [at, step] of lesson.steps.entries()) {
      screen.show(steps[at] ?? '')
      await doStep(step, after[at] as Files, runner, io)
    }
    const missing = await whatIsMissing(lesson, {
      place: runner.place,
      helm: runner.helm,
      patienceMs: PATIENCE_MS,
      signal: io.signal,
    })
    if (missing.length > 0) {
      screen.show(`**Not done:** ${missing.join('; ')}.`)
      return false
    }
    const { letter, because } = choices(number).find(({ isRight }) => isRight) ?? {}
    screen.show(`${see}\n\n${question}\n\n**${letter}:** ${because}\n\n**Done:** lesson ${number}.`)
  }
  return true
}

async function doStep(step: Step, files: Files, runner: Runner, io: Io): Promise<void> {
  const { place } = runner
  if ('edit' in step) await runner.apply({ [step.edit]: files[step.edit] }, step.unready)
  if ('uninstall' in step) await runner.apply({ [step.uninstall]: undefined })
  const said = 'restarts' in step ? await runner.restarted() : undefined
  if (said !== undefined) io.stdout.write(`${said}\n\n`)
  const command = 'canary' in step ? place.canary(step.canary) : 'restarts' in step ? place.status() : undefined
  if (command) {
    const exitCode = await run(command, io)
    io.stdout.write(`exit code ${exitCode}\n\n`)
  }
  if ('curl' in step) io.stdout.write(`${(await curl(step.curl, step.header, runner)).join('\n')}\n\n`)
}

/** What curl would print, counted. */
async function curl(times: number, header: readonly [string, string] | undefined, { place: { url, host } }: Runner) {
  const headers = { ...(header && Object.fromEntries([header])), ...(host !== undefined && { host }) }
  const client = new VersionClient({ url: new URL('/version', url), headers, connections: 1, timeoutMs: 5000 })
  const counts = new Counts()
  for (let asked = 0; asked < times; asked++) {
    const { version, error } = await client.ask()
    counts.add(error ?? `{"version":"${version}"} 200`)
  }
  await client.close()
  return [...counts].map(([text, number]) => `${number} × ${text}`)
}
