import { type Command, InvalidArgumentError } from 'commander'
import { Failure } from '../errors.ts'
import { addMoving, limitsOf, type MovingOptions } from '../options.ts'
import { checkOutput } from '../output/checkOutput.ts'
import type { ShiftOutput } from '../output/outputs.ts'
import { Progress } from '../output/progress.ts'
import { reportText } from '../output/reportText.ts'
import { columnsOf, painter, type Terminal } from '../output/terminal.ts'
import { Session } from '../promotion/session.ts'
import { parseWeights, showWeights, type Weights } from '../values/weights.ts'
import { exitCodes } from '../verdict/exitCodes.ts'
import type { Report } from '../verdict/sampleAndJudge.ts'

/** `shift STABLE/CANARY`: moves traffic, and checks that it moved. */
export function shiftCommand(program: Command, terminal: Terminal): void {
  addMoving(
    program
      .command('shift')
      .description('Edit the weights in values-stable.yaml, apply them with Helm, wait until replies follow, and check.')
      .argument('<STABLE/CANARY>', 'the weights, such as 75/25', weights),
    [60_000, '1m', 'how long the route, and then the replies, may take to follow'],
  ).action((weights: Weights, options: MovingOptions) => run(weights, options, terminal))
}

function weights(text: string): Weights {
  const parsed = parseWeights(text)
  if (!parsed || Math.max(parsed.stable, parsed.canary) > 1_000_000 || parsed.stable + parsed.canary === 0)
    throw new InvalidArgumentError('It must be two whole numbers from 0 to 1000000, not both 0, such as 75/25.')
  return parsed
}

async function run(weights: Weights, options: MovingOptions, terminal: Terminal): Promise<void> {
  const { stdout, exitWith } = terminal
  const { json, dryRun, filesOnly, url, because } = options
  const progress = new Progress(terminal, json ? 'silent' : 'shown')
  const session = new Session({ ...options, limits: limitsOf(options) }, progress, terminal)
  const { release, replies } = session
  await session.interruptible(async () => {
    const state = await release.state()
    if (weights.canary > 0 && state && !state.services.canary)
      throw new Failure(
        `the Service ${state.serviceNames.canary} is missing, so its share would fail with 500, or go to stable: install canary first`,
      )
    if (url || state) replies.refuseUnjudgeable(weights)
    if (dryRun) {
      const lines = await release.plannedLines(await release.edited(weights), painter(stdout))
      stdout.write(`${lines.join('\n')}\n`)
      if (state) await release.refuseMore(state)
      return
    }
    await release.recover('careful')
    if (state) for (const line of await release.refuseMore(state)) progress.note(line)
    const startedAt = performance.now()
    const title = `Move traffic to ${showWeights(weights)}`
    await release.apply(title, { command: 'shift', step: 'move traffic', weights, because }, { overwritten: 'route' })
    if (filesOnly && !url) {
      if (json) stdout.write(`${JSON.stringify(shiftOutput(progress, undefined))}\n`)
      return
    }
    const now = await release.state()
    const expectation = await replies.expected(now, weights)
    const target = await replies.target(now)
    await replies.settle(target, expectation, startedAt)
    const report = await replies.check('Check the split', target, expectation)
    stdout.write(
      json ? `${JSON.stringify(shiftOutput(progress, report))}\n` : `\n${reportText(report, columnsOf(stdout), painter(stdout))}`,
    )
    exitWith(exitCodes[report.verdict])
  })
}

const shiftOutput = ({ done }: Progress, report: Report | undefined): ShiftOutput => ({
  steps: done,
  report: report ? checkOutput(report) : null,
})
