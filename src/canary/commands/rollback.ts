import type { Command } from 'commander'
import { Failure } from '../errors.ts'
import { addMoving, type MovingOptions } from '../options.ts'
import { Progress } from '../output/progress.ts'
import { reportText } from '../output/reportText.ts'
import { columnsOf, painter, type Terminal } from '../output/terminal.ts'
import { Operator } from '../promotion/operator.ts'
import { takeBack } from '../promotion/takeBack.ts'
import { ALL_STABLE, sameContent, weightsOf } from '../values/values.ts'
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
