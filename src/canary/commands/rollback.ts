import type { Command } from 'commander'
import { Failure } from '../errors.ts'
import { addMoving, limitsOf, type MovingOptions } from '../options.ts'
import { Progress } from '../output/progress.ts'
import { reportText } from '../output/reportText.ts'
import { columnsOf, painter, type Terminal } from '../output/terminal.ts'
import { Session } from '../promotion/session.ts'
import { takeBack } from '../promotion/takeBack.ts'
import { releaseName } from '../roles.ts'
import { samePodValues } from '../values/podValues.ts'
import { ALL_STABLE, weightsOf } from '../values/weights.ts'
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
  const progress = new Progress(terminal, json ? 'silent' : 'shown')
  const session = new Session({ ...options, limits: limitsOf(options) }, progress, signal)
  const { release } = session
  await session.interruptible(async () => {
    const state = await release.state()
    if (state && !state.releases.stable)
      throw new Failure(`${releaseName('stable')} is not installed: there is nothing to roll back`)
    if (filesOnly) await warn(session)
    if (dryRun) {
      const podValues = state && (await release.podValuesToRestore(state))
      stdout.write(`${release.plannedLines(await release.edited(ALL_STABLE, podValues), painter(stdout)).join('\n')}\n`)
      return
    }
    const { seconds, report } = await takeBack(session, url !== undefined)
    if (json) stdout.write(`${JSON.stringify({ steps: progress.done, seconds, report })}\n`)
    else if (report) stdout.write(`\n${reportText(report, columnsOf(stdout), painter(stdout))}`)
    if (seconds !== undefined) progress.note(`Every reply came from stable ${seconds.toFixed(1)} s after the start.`)
    exitWith(report ? exitCodes[report.verdict] : 0)
  })
}

/** Files alone do not tell what stable ran before. */
async function warn({ release, progress }: Session): Promise<void> {
  const stable = (await release.file('stable')).values
  if (weightsOf(stable).stable === 0 && samePodValues(stable, (await release.file('canary')).values))
    progress.note("values-stable.yaml has canary's image and env already: that stays, unless you take it back in Git.")
}
