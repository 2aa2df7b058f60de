import { createInterface } from 'node:readline/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { ClusterState } from '../cluster/clusterState.ts'
import { Failure, Interrupted, WrongUse } from '../errors.ts'
import { percent } from '../format.ts'
import { addMoving, type MovingOptions } from '../options.ts'
import { Progress } from '../output/progress.ts'
import { reportText } from '../output/reportText.ts'
import { columnsOf, painter, type Terminal } from '../output/terminal.ts'
import { nextStep, percentageOf, type Situation, type Step } from '../promotion/nextStep.ts'
import { Operator } from '../promotion/operator.ts'
import { takeBack } from '../promotion/takeBack.ts'
import { releaseName } from '../roles.ts'
import { ALL_STABLE, type Content, sameContent, showWeights, type Weights, weightsOf } from '../values/values.ts'
import { exitCodes } from '../verdict/exitCodes.ts'
import type { Report } from '../verdict/sampleAndJudge.ts'

interface Options extends MovingOptions {
  steps: number[]
  pause?: true
}

/** `promote`: gives stable what canary runs, once canary has proved itself. */
export function promoteCommand(program: Command, terminal: Terminal): void {
  addMoving(
    program
      .command('promote')
      .description(
        "Give canary more and more, and judge it at each step; then stable gets canary's image and env, and all traffic. What fails goes back to 100/0. Interrupted, it goes on when started again.",
      )
      .addOption(
        new Option('--steps <percentages>', "canary's shares to stop and judge at, after the one it has")
          .argParser(steps)
          .default([100], '100'),
      ),
    [120_000, '2m', 'how long the route and the replies may take to follow, and how long a gate may be INCONCLUSIVE'],
  )
    .option('--pause', 'ask before each further step')
    .action((options: Options) => run(options, terminal))
}

function steps(text: string): number[] {
  const numbers = text.split(',').map((entry) => (/^\d{1,3}$/.test(entry) ? Number(entry) : Number.NaN))
  const isRising = numbers.every((number, index) => number > (numbers[index - 1] ?? 0))
  if (!isRising || numbers.at(-1) !== 100)
    throw new InvalidArgumentError('It must be rising percentages that end with 100, such as 25,50,100.')
  return numbers
}

async function run(options: Options, terminal: Terminal): Promise<void> {
  const { stdout, signal } = terminal
  const { filesOnly, url, pause, dryRun } = options
  if (filesOnly && !url) throw new WrongUse('--files-only needs --url here: without replies, there is nothing to judge canary by')
  if (pause && !(process.stdin.isTTY && stdout.isTTY)) throw new WrongUse('--pause needs a terminal to ask on: leave it out here')
  const progress = new Progress(terminal, options.json ?? false)
  const operator = new Operator(options, progress, signal)
  await operator.interruptible(async () => {
    const standing = await operator.standing()
    if (standing) refuseUnready(standing)
    operator.target(standing)
    if (dryRun) {
      stdout.write(`${rehearse(operator, options, standing, terminal).join('\n')}\n`)
      return
    }
    try {
      await operator.recover(false)
      await promote(operator, options, progress, terminal)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      throw new Failure(`${error.message}; ${await operator.whereThingsStand()}`)
    }
  })
}

function refuseUnready({ releases, workloads, services, route }: ClusterState): void {
  const { canary } = releases
  const name = releaseName('canary')
  const pods = workloads.canary
  if (!canary) throw new Failure(`${name} is not installed: there is nothing to promote`)
  if (!releases.stable || !route)
    throw new Failure(`${releaseName('stable')} is not installed with a route: there is nothing to promote to`)
  if (canary.status !== 'deployed')
    throw new Failure(`${name} is ${canary.status}, revision ${canary.revision}: helm rollback it, or upgrade it, first`)
  if (!services.canary) throw new Failure(`the Service ${name} is missing: helm upgrade it first`)
  if (!pods || pods.wanted === 0 || !pods.isRolledOut)
    throw new Failure(
      `${name} is not ready (${pods?.ready ?? 0} of ${pods?.wanted ?? 0} pods): wait for it, or see kubectl get pods`,
    )
}

/** What canary runs; without a cluster, what its file says. */
const canaryContent = (operator: Operator, standing: ClusterState | undefined): Content =>
  standing?.releases.canary?.values ?? operator.file('canary').values

function situationOf(operator: Operator, standing: ClusterState | undefined, steps: number[], passed: number): Situation {
  const { values } = operator.file('stable')
  const content = canaryContent(operator, standing)
  const declared = weightsOf(values)
  const stable = standing?.releases.stable
  return {
    declared,
    live: standing?.route?.weights ?? declared,
    isGiven: sameContent(values, content),
    isRolledOut:
      !standing ||
      (stable?.status === 'deployed' && sameContent(stable.values, content) && standing.workloads.stable?.isRolledOut === true),
    steps,
    passed,
  }
}

async function promote(operator: Operator, options: Options, progress: Progress, terminal: Terminal): Promise<void> {
  const { steps, pause } = options
  let passed = 0
  let judged: Content | undefined
  for (;;) {
    const standing = await operator.standing()
    const content = canaryContent(operator, standing)
    if (judged && !sameContent(judged, content))
      throw new Failure('canary was given another image or env meanwhile, which nobody has judged yet')
    const situation = situationOf(operator, standing, steps, passed)
    const { declared } = situation
    const step = nextStep(situation)
    if (step.kind === 'refuse') throw new Failure(step.why)
    if (step.kind === 'done') return conclude(operator, progress, terminal)
    if (pause && passed > 0) await ask(`Go on: ${titleOf(step)}?`, terminal)
    if (step.kind === 'gate') {
      const report = await gate(operator, step, isInForce(standing, declared, step.weights))
      if (report.verdict !== 'PASS') return giveUp(operator, report, progress, terminal)
      passed = step.percentage
      judged = content
    } else if (step.kind === 'hand back') await operator.apply(titleOf(step), ALL_STABLE)
    else await operator.apply(titleOf(step), declared, content)
  }
}

function titleOf(step: Step): string {
  if (step.kind === 'gate') return `Give canary ${percent(step.percentage / 100)}, ${showWeights(step.weights)}`
  if (step.kind === 'hand back') return 'Give stable all traffic back, 100/0'
  return "Give stable canary's image and env, while canary serves"
}

function isInForce(standing: ClusterState | undefined, declared: Weights, weights: Weights): boolean {
  if (!standing) return showWeights(declared) === showWeights(weights)
  const { releases, route } = standing
  const isLive = route?.problems.length === 0 && showWeights(route.weights) === showWeights(weights)
  return isLive && releases.stable?.status === 'deployed'
}

/** Gives canary its share, if it does not have it yet, and judges it. */
async function gate(operator: Operator, step: Extract<Step, { kind: 'gate' }>, isInForce: boolean): Promise<Report> {
  const startedAt = performance.now()
  if (!isInForce) await operator.apply(titleOf(step), step.weights)
  const standing = await operator.standing()
  const target = operator.target(standing)
  const expectation = operator.expected(standing, step.weights)
  await operator.settle(target, expectation, startedAt)
  const until = performance.now() + operator.options.patience
  const title = `Judge canary at ${percent(step.percentage / 100)}`
  let report = await operator.check(title, target, expectation)
  // Every look may find a fault that is none. With samples twice as large each time, there are but a few looks.
  while (report.verdict === 'INCONCLUSIVE' && performance.now() < until)
    report = await operator.check(title, target, expectation, report.sample.requests * 2)
  return report
}

async function giveUp(operator: Operator, report: Report, progress: Progress, terminal: Terminal): Promise<void> {
  const { stdout, exitWith } = terminal
  const { json } = operator.options
  if (!json) stdout.write(`\n${reportText(report, columnsOf(stdout), painter(stdout))}\n`)
  const { seconds } = await takeBack(operator)
  const back = seconds === undefined ? 'but replies do not show it yet' : `on the wire after ${seconds.toFixed(1)} s`
  progress.note(`\nNot promoted: ${report.verdict}. Back at 100/0, ${back}.`)
  if (json) stdout.write(`${JSON.stringify({ promoted: false, steps: progress.done, report })}\n`)
  exitWith(exitCodes[report.verdict])
}

/** The last look: every reply is stable's, and says the new version. */
async function conclude(operator: Operator, progress: Progress, terminal: Terminal): Promise<void> {
  const { stdout, exitWith } = terminal
  const standing = await operator.standing()
  const target = operator.target(standing)
  const expectation = operator.expected(standing, ALL_STABLE)
  await operator.settle(target, expectation, performance.now())
  const report = await operator.check('Check that every reply is from stable', target, expectation)
  const isPromoted = report.verdict === 'PASS'
  if (operator.options.json) stdout.write(`${JSON.stringify({ promoted: isPromoted, steps: progress.done, report })}\n`)
  else stdout.write(`\n${reportText(report, columnsOf(stdout), painter(stdout))}`)
  const version = expectation.find(({ role }) => role === 'stable')?.version
  if (isPromoted) progress.note(`Promoted: stable serves everything, as ${version}.`)
  exitWith(exitCodes[report.verdict])
}

async function ask(question: string, { stdout, signal }: Terminal): Promise<void> {
  // Not `terminal`: Ctrl-C is for the process to see.
  const reader = createInterface({ input: process.stdin, output: stdout, terminal: false })
  try {
    const answer = await reader.question(`${question} [Y/n] `, { signal })
    if (/^n/i.test(answer.trim())) throw new Interrupted()
  } catch {
    throw new Interrupted()
  } finally {
    reader.close()
  }
}

/** All that would be done if every gate passed. */
function rehearse(operator: Operator, { steps }: Options, standing: ClusterState | undefined, { stdout }: Terminal): string[] {
  const lines: string[] = []
  const content = canaryContent(operator, standing)
  let { path, text } = operator.file('stable')
  let situation = situationOf(operator, standing, steps, 0)
  for (;;) {
    const step = nextStep(situation)
    if (step.kind === 'refuse') throw new Failure(step.why)
    if (step.kind === 'done') return [...lines, 'Check that every reply is from stable']
    const weights = step.kind === 'gate' ? step.weights : step.kind === 'hand back' ? ALL_STABLE : situation.declared
    const { after } = operator.edited(weights, step.kind === 'give' ? content : undefined, text)
    if (after !== text || step.kind !== 'gate')
      lines.push(titleOf(step), ...operator.rehearsal({ path, before: text, after }, painter(stdout)), '')
    if (step.kind === 'gate') lines.push(`Judge canary at ${percent(step.percentage / 100)}`, '')
    text = after
    situation = {
      ...situation,
      declared: weights,
      live: weights,
      ...(step.kind === 'gate' && { passed: percentageOf(weights) }),
      ...((step.kind === 'give' || step.kind === 'roll out') && { isGiven: true, isRolledOut: true }),
    }
  }
}
