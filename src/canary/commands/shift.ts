import { type Command, InvalidArgumentError } from 'commander'
import { Failure } from '../errors.ts'
import { addMoving, type MovingOptions } from '../options.ts'
import { Progress } from '../output/progress.ts'
import { reportText } from '../output/reportText.ts'
import { columnsOf, painter, type Terminal } from '../output/terminal.ts'
import { Operator } from '../promotion/operator.ts'
import { showWeights, type Weights } from '../values/values.ts'
import { exitCodes } from '../verdict/exitCodes.ts'

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
  const [, stable, canary] = /^(\d{1,7})\/(\d{1,7})$/.exec(text) ?? []
  const parsed = { stable: Number(stable), canary: Number(canary) }
  const { stable: a, canary: b } = parsed
  if (!(a <= 1_000_000 && b <= 1_000_000 && a + b > 0))
    throw new InvalidArgumentError('It must be two whole numbers from 0 to 1000000, not both 0, such as 75/25.')
  return parsed
}

async function run(weights: Weights, options: MovingOptions, terminal: Terminal): Promise<void> {
  const { stdout, signal, exitWith } = terminal
  const { json, dryRun, filesOnly, url } = options
  const progress = new Progress(terminal, json ?? false)
  const operator = new Operator(options, progress, signal)
  await operator.interruptible(async () => {
    const standing = await operator.standing()
    if (weights.canary > 0 && standing && !standing.services.canary)
      throw new Failure('the Service devops-api-canary is missing, so its share would fail with 500: install canary first')
    // What is wrong with it is better known before anything is done.
    if (url || standing?.route) operator.target(standing)
    if (dryRun) {
      stdout.write(`${operator.rehearsal(operator.edited(weights), painter(stdout)).join('\n')}\n`)
      return
    }
    await operator.recover(false)
    const startedAt = performance.now()
    await operator.apply(`Move traffic to ${showWeights(weights)}`, weights)
    if (filesOnly && !url) {
      if (json) stdout.write(`${JSON.stringify({ steps: progress.done })}\n`)
      return
    }
    const now = await operator.standing()
    const expectation = operator.expected(now, weights)
    const target = operator.target(now)
    await operator.settle(target, expectation, startedAt)
    const report = await operator.check('Check the split', target, expectation)
    stdout.write(
      json
        ? `${JSON.stringify({ steps: progress.done, report })}\n`
        : `\n${reportText(report, columnsOf(stdout), painter(stdout))}`,
    )
    exitWith(exitCodes[report.verdict])
  })
}
