import type { Command } from 'commander'
import { addMoving, limitsOf, type MovingOptions } from '../options.ts'
import { checkOutput } from '../output/checkOutput.ts'
import type { RollbackOutput } from '../output/outputs.ts'
import { Progress } from '../output/progress.ts'
import { reportText } from '../output/reportText.ts'
import { columnsOf, painter, type Terminal } from '../output/terminal.ts'
import { Session } from '../promotion/session.ts'
import { type TakenBack, takeBack } from '../promotion/takeBack.ts'
import { exitCodes } from '../verdict/exitCodes.ts'

/** `rollback`: gives all traffic to stable, now. */
export function rollbackCommand(program: Command, terminal: Terminal): void {
  addMoving(
    program
      .command('rollback')
      .description(
        'Set 100/0, now, and check that every reply is from stable. An unfinished promotion is undone: stable goes back to what it ran.',
      ),
    [60_000, '1m', 'how long the route, and then the replies, may take to follow'],
  ).action((options: MovingOptions) => run(options, terminal))
}

async function run(options: MovingOptions, terminal: Terminal): Promise<void> {
  const { stdout, exitWith } = terminal
  const { json, dryRun, filesOnly, url, because } = options
  const progress = new Progress(terminal, json ? 'silent' : 'shown')
  const session = new Session({ ...options, limits: limitsOf(options) }, progress, terminal)
  const { release } = session
  await session.interruptible(async () => {
    if (filesOnly) await warn(session)
    if (dryRun) {
      stdout.write(`${(await release.plannedTakeBack(painter(stdout))).join('\n')}\n`)
      return
    }
    const { seconds, report, notes } = await takeBack(session, { command: 'rollback', because }, url !== undefined)
    if (json) stdout.write(`${JSON.stringify(rollbackOutput(progress, { seconds, report, notes }))}\n`)
    else if (report) stdout.write(`\n${reportText(report, columnsOf(stdout), painter(stdout))}`)
    for (const note of notes) progress.note(note)
    if (seconds !== undefined) progress.note(`Every reply came from stable ${seconds.toFixed(1)} s after the start.`)
    const wasToBeAsked = !filesOnly || url !== undefined
    exitWith(report ? exitCodes[report.verdict] : wasToBeAsked ? exitCodes.INCONCLUSIVE : 0)
  })
}

/** Files alone do not tell what stable ran before. */
async function warn({ release, progress }: Session): Promise<void> {
  if (await release.isGivenInFiles())
    progress.note('values-stable.yaml gives stable what canary runs already: that stays, unless you take it back in Git.')
}

const rollbackOutput = ({ done }: Progress, { seconds, report, notes }: TakenBack): RollbackOutput => ({
  steps: done,
  seconds: seconds ?? null,
  report: report ? checkOutput(report) : null,
  notes: [...notes],
})
