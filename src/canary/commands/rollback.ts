import type { Command } from 'commander'
import { exitCodes } from '../exitCodes.ts'
import { Failure } from '../failure.ts'
import { addMoving, type MovingOptions } from '../moving.ts'
import { Operator } from '../operator.ts'
import { Progress } from '../progress.ts'
import { reportText } from '../reportText.ts'
import { takeBack } from '../takeBack.ts'
import { columnsOf, painter, type Terminal } from '../terminal.ts'
import { ALL_STABLE, sameContent, weightsOf } from '../values.ts'

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
  const { stdout, signal, exitWith } = terminal
  const { json, dryRun, filesOnly, url } = options
  const progress = new Progress(terminal, json ?? false)
  const operator = new Operator(options, progress, signal)
  await operator.interruptible(async () => {
    const standing = await operator.standing()
    if (standing && !standing.releases.stable)
      throw new Failure('devops-api-stable is not installed: there is nothing to roll back')
    if (url || standing) operator.target(standing)
    if (filesOnly) warn(operator, progress)
    if (dryRun) {
      const content = standing && (await operator.contentToRestore(standing))
      stdout.write(`${operator.rehearsal(operator.edited(ALL_STABLE, content), painter(stdout)).join('\n')}\n`)
      return
    }
    const { seconds, report } = await takeBack(operator)
    if (json) stdout.write(`${JSON.stringify({ steps: progress.done, seconds, report })}\n`)
    else if (report) stdout.write(`\n${reportText(report, columnsOf(stdout), painter(stdout))}`)
    if (seconds !== undefined) progress.note(`Every reply came from stable ${seconds.toFixed(1)} s after the start.`)
    exitWith(report ? exitCodes[report.verdict] : 0)
  })
}

/** Files alone do not tell what stable ran before. */
function warn(operator: Operator, progress: Progress): void {
  const stable = operator.file('stable').values
  if (weightsOf(stable).stable === 0 && sameContent(stable, operator.file('canary').values))
    progress.note("values-stable.yaml has canary's image and env already: that stays, unless you take it back in Git.")
}
