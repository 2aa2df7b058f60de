import { createInterface } from 'node:readline/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { ClusterState } from '../cluster/clusterState.ts'
import { Failure, Interrupted, WrongUse } from '../errors.ts'
import { addMoving, limitsOf, type MovingOptions } from '../options.ts'
import { Progress } from '../output/progress.ts'
import { reportText } from '../output/reportText.ts'
import { columnsOf, painter, type Terminal } from '../output/terminal.ts'
import type { Situation } from '../promotion/nextStep.ts'
import { type ChangeStep, type GateStep, judgementTitleOf, type Player, playSteps, titleOf } from '../promotion/playSteps.ts'
import { Session } from '../promotion/session.ts'
import { takeBack } from '../promotion/takeBack.ts'
import { releaseName } from '../roles.ts'
import { type PodValues, samePodValues } from '../values/podValues.ts'
import type { ValuesFile } from '../values/valuesReader.ts'
import { ALL_STABLE, showWeights, type Weights, weightsOf } from '../values/weights.ts'
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
  const { filesOnly, url, pause, dryRun, json } = options
  if (filesOnly && !url) throw new WrongUse('--files-only needs --url here: without replies, there is nothing to judge canary by')
  if (pause && !(process.stdin.isTTY && stdout.isTTY)) throw new WrongUse('--pause needs a terminal to ask on: leave it out here')
  const session = new Session(
    { ...options, limits: limitsOf(options) },
    new Progress(terminal, json ? 'silent' : 'shown'),
    signal,
  )
  await session.interruptible(async () => {
    const state = await session.release.state()
    if (state) refuseUnready(state)
    if (dryRun) {
      await playSteps(await rehearsing(session, options, state, terminal))
      return
    }
    await session.replies.target(state)
    try {
      await session.release.recover('careful')
      await playSteps(doing(session, options, terminal))
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      throw new Failure(`${error.message}; ${await session.whereThingsStand()}`)
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

/** What shapes canary's pods; without a cluster, what its file says. */
const podValuesOf = async ({ release }: Session, state: ClusterState | undefined): Promise<PodValues> =>
  state?.releases.canary?.values ?? (await release.file('canary')).values

async function situationOf(
  session: Session,
  state: ClusterState | undefined,
  steps: number[],
  passed: number,
): Promise<Situation> {
  const { values } = await session.release.file('stable')
  const podValues = await podValuesOf(session, state)
  const declared = weightsOf(values)
  const stable = state?.releases.stable
  return {
    declared,
    live: state?.route?.weights ?? declared,
    isGiven: samePodValues(values, podValues),
    isRolledOut:
      !state ||
      (stable?.status === 'deployed' && samePodValues(stable.values, podValues) && state.workloads.stable?.isRolledOut === true),
    steps,
    passed,
  }
}

function doing(session: Session, { steps, pause, json }: Options, terminal: Terminal): Player {
  const { release } = session
  let judged: PodValues | undefined
  let state: ClusterState | undefined
  let declared: Weights = ALL_STABLE
  return {
    async look(passed) {
      state = await release.state()
      const podValues = await podValuesOf(session, state)
      if (judged && !samePodValues(judged, podValues))
        throw new Failure('canary was given another image or env meanwhile, which nobody has judged yet')
      const situation = await situationOf(session, state, steps, passed)
      declared = situation.declared
      return situation
    },
    async mayGoOn(step) {
      if (pause && step.kind !== 'done' && step.kind !== 'refuse') await ask(`Go on: ${titleOf(step)}?`, terminal)
    },
    async gate(step) {
      const podValues = await podValuesOf(session, state)
      const report = await judge(session, step, isInForce(state, declared, step.weights))
      if (report.verdict !== 'PASS') await giveUp(session, report, json, terminal)
      judged = podValues
      return report.verdict === 'PASS'
    },
    async change(step) {
      if (step.kind === 'hand back') await release.apply(titleOf(step), ALL_STABLE, 'careful')
      else await release.apply(titleOf(step), declared, 'careful', await podValuesOf(session, state))
    },
    conclude: () => conclude(session, json, terminal),
  }
}

/** Writes what would be done if every gate passed. */
async function rehearsing(
  session: Session,
  { steps }: Options,
  state: ClusterState | undefined,
  { stdout }: Terminal,
): Promise<Player> {
  const { release } = session
  let file: ValuesFile | undefined
  let situation = await situationOf(session, state, steps, 0)
  const write = (...lines: string[]) => stdout.write(`${lines.join('\n')}\n`)
  const edit = async (step: GateStep | ChangeStep, weights: Weights, podValues?: PodValues) => {
    const planned = await release.edited(weights, podValues, file)
    const isGateAsItIs = step.kind === 'gate' && planned.after.text === planned.before.text
    if (!isGateAsItIs) write(titleOf(step), ...release.plannedLines(planned, painter(stdout)), '')
    file = planned.after
    situation = { ...situation, declared: weights, live: weights }
  }
  return {
    async look(passed) {
      return { ...situation, passed }
    },
    async mayGoOn() {},
    async gate(step) {
      await edit(step, step.weights)
      write(judgementTitleOf(step), '')
      return true
    },
    async change(step) {
      if (step.kind === 'hand back') return edit(step, ALL_STABLE)
      await edit(step, situation.declared, await podValuesOf(session, state))
      situation = { ...situation, isGiven: true, isRolledOut: true }
    },
    async conclude() {
      write('Check that every reply is from stable')
    },
  }
}

function isInForce(state: ClusterState | undefined, declared: Weights, weights: Weights): boolean {
  if (!state) return showWeights(declared) === showWeights(weights)
  const { releases, route } = state
  const isLive = route?.problems.length === 0 && showWeights(route.weights) === showWeights(weights)
  return isLive && releases.stable?.status === 'deployed'
}

/** Gives canary its share, if it does not have it yet, and judges it. */
async function judge(session: Session, step: GateStep, isInForce: boolean): Promise<Report> {
  const { release, replies, patience } = session
  const startedAt = performance.now()
  if (!isInForce) await release.apply(titleOf(step), step.weights, 'careful')
  const state = await release.state()
  const target = await replies.target(state)
  const expectation = await replies.expected(state, step.weights)
  await replies.settle(target, expectation, startedAt)
  const until = performance.now() + patience
  const title = judgementTitleOf(step)
  let report = await replies.check(title, target, expectation)
  // Every look may find a fault that is none. With samples twice as large each time, there are but a few looks.
  while (report.verdict === 'INCONCLUSIVE' && performance.now() < until)
    report = await replies.check(title, target, expectation, report.sample.requests * 2)
  return report
}

async function giveUp(session: Session, report: Report, json: true | undefined, terminal: Terminal): Promise<void> {
  const { stdout, exitWith } = terminal
  const { progress } = session
  if (!json) stdout.write(`\n${reportText(report, columnsOf(stdout), painter(stdout))}\n`)
  const { seconds } = await takeBack(session, true)
  const back = seconds === undefined ? 'but replies do not show it yet' : `on the wire after ${seconds.toFixed(1)} s`
  progress.note(`\nNot promoted: ${report.verdict}. Back at 100/0, ${back}.`)
  if (json) stdout.write(`${JSON.stringify({ promoted: false, steps: progress.done, report })}\n`)
  exitWith(exitCodes[report.verdict])
}

/** The last look: every reply is stable's, and says the new version. */
async function conclude({ release, replies, progress }: Session, json: true | undefined, terminal: Terminal): Promise<void> {
  const { stdout, exitWith } = terminal
  const state = await release.state()
  const target = await replies.target(state)
  const expectation = await replies.expected(state, ALL_STABLE)
  await replies.settle(target, expectation, performance.now())
  const report = await replies.check('Check that every reply is from stable', target, expectation)
  const isPromoted = report.verdict === 'PASS'
  if (json) stdout.write(`${JSON.stringify({ promoted: isPromoted, steps: progress.done, report })}\n`)
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
