import { createInterface } from 'node:readline/promises'
import { isDeepStrictEqual } from 'node:util'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { ClusterState } from '../cluster/clusterState.ts'
import { Failure, Interrupted, WrongUse } from '../errors.ts'
import { count, percent, whole } from '../format.ts'
import { addMoving, addTraffic, limitsOf, type MovingOptions, type TrafficOptions, trafficOf } from '../options.ts'
import { checkOutput } from '../output/checkOutput.ts'
import type { PromoteOutput } from '../output/outputs.ts'
import { Progress } from '../output/progress.ts'
import { reportText } from '../output/reportText.ts'
import { columnsOf, painter, type Terminal } from '../output/terminal.ts'
import { type Carried, isSameCarried } from '../promotion/carried.ts'
import type { Situation } from '../promotion/nextStep.ts'
import { type ChangeStep, type GateStep, judgementTitleOf, type Player, playSteps, titleOf } from '../promotion/playSteps.ts'
import type { Change, Judged } from '../promotion/releaseDescription.ts'
import { Session } from '../promotion/session.ts'
import { takeBack } from '../promotion/takeBack.ts'
import { type Given, withPodValues } from '../values/podValues.ts'
import type { ValuesFile } from '../values/valuesReader.ts'
import { ALL_STABLE, parseWeights, showWeights, type Weights, weightsOf } from '../values/weights.ts'
import { sum } from '../verdict/comparison.ts'
import { exitCodes } from '../verdict/exitCodes.ts'
import type { TrafficSettings } from '../verdict/judgeTraffic.ts'
import { isVoid, whyNotAsked } from '../verdict/notAsked.ts'
import { whyRefused } from '../verdict/rateLimit.ts'
import type { Report } from '../verdict/sampleAndJudge.ts'

interface CommandLine extends MovingOptions, TrafficOptions {
  steps?: number[]
  pause?: true
}

interface Options extends MovingOptions {
  steps: number[]
  traffic: TrafficSettings | undefined
  pause?: true
}

/** `promote`: gives stable what canary runs, once canary has proved itself. */
export function promoteCommand(program: Command, terminal: Terminal): void {
  const command = addMoving(
    program
      .command('promote')
      .description(
        'Give canary more and more, and judge it at each step; then stable gets what canary runs, and all traffic. What fails goes back to 100/0. Interrupted, it goes on when started again.',
      )
      .addOption(
        new Option(
          '--steps <percentages>',
          "canary's shares to stop and judge at, after the one it has: 25,50,100 or 75/25,50/50,0/100; by default 100, with --prometheus 99,100, because at 100 there is nothing to compare with",
        ).argParser(steps),
      ),
    [120_000, '2m', 'how long the route and the replies may take to follow, and how long to ask again where nobody answers'],
  )
  addTraffic(command, 'as much longer as --patience where it was too little to tell')
    .option('--pause', 'ask before each further step')
    .action((options: CommandLine) => run(options, terminal))
}

/** Canary's percentage in an entry such as 25 or 75/25. */
function shareIn(entry: string): number {
  const weights = parseWeights(entry)
  if (weights) return (100 * weights.canary) / (weights.stable + weights.canary)
  return /^\d{1,7}$/.test(entry) ? Number(entry) : Number.NaN
}

function steps(text: string): number[] {
  const numbers = text.split(',').map(shareIn)
  const isRising = numbers.every((number, index) => Number.isInteger(number) && number > (numbers[index - 1] ?? 0))
  if (!isRising || numbers.at(-1) !== 100)
    throw new InvalidArgumentError(
      'It must be rising whole percentages that end with 100, such as 25,50,100 or 75/25,50/50,0/100.',
    )
  return numbers
}

/** With real traffic to compare with at the last step but one. */
const WITH_CONTROL = [99, 100]

async function run(commandLine: CommandLine, terminal: Terminal): Promise<void> {
  const { stdout } = terminal
  const traffic = trafficOf(commandLine)
  const options: Options = { ...commandLine, traffic, steps: commandLine.steps ?? (traffic ? WITH_CONTROL : [100]) }
  const { filesOnly, url, pause, dryRun, json } = options
  if (filesOnly && !url) throw new WrongUse('--files-only needs --url here: without replies, there is nothing to judge canary by')
  if (pause && !(process.stdin.isTTY && stdout.isTTY)) throw new WrongUse('--pause needs a terminal to ask on: leave it out here')
  const session = new Session(
    // At each step, at the share that canary has before, and at the end.
    { ...options, limits: limitsOf(options), judgements: options.steps.length + 2 },
    new Progress(terminal, json ? 'silent' : 'shown'),
    terminal,
  )
  await session.interruptible(async () => {
    const { release } = session
    const state = await release.state()
    if (state) {
      refuseUnready(state)
      release.refuseChanged(state)
    }
    const carried = await release.carried()
    await release.withChartForWeights(carried, async (chart) => {
      if (dryRun) {
        await playSteps(await rehearsing(session, options, chart, terminal))
        return
      }
      await session.replies.target(state)
      await session.replies.requirePrometheus()
      try {
        await release.recover('careful')
        await playSteps(await doing(session, options, chart, terminal))
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        throw new Failure(`${error.message}; ${await session.whereThingsStand()}`)
      }
    })
  })
}

function refuseUnready({ names, releases, workloads, services, serviceNames, route }: ClusterState): void {
  const { canary } = releases
  const name = names.canary
  const pods = workloads.canary
  if (!canary) throw new Failure(`${name} is not installed: there is nothing to promote`)
  if (!releases.stable || !route)
    throw new Failure(`${names.stable} is not installed with a route: there is nothing to promote to`)
  if (canary.status !== 'deployed')
    throw new Failure(`${name} is ${canary.status}, revision ${canary.revision}: helm rollback it, or upgrade it, first`)
  if (!services.canary) throw new Failure(`the Service ${serviceNames.canary} is missing: helm upgrade it first`)
  if (!pods || pods.wanted === 0 || !pods.isRolledOut)
    throw new Failure(
      `${name} is not ready (${pods?.ready ?? 0} of ${pods?.wanted ?? 0} pods): wait for it, or see kubectl get pods`,
    )
}

/** All that is looked at before a step. */
interface Look {
  readonly state: ClusterState | undefined
  readonly carried: Carried | undefined
  readonly given: Given
  readonly situation: Situation
}

async function look({ release }: Session, steps: number[], passed: number): Promise<Look> {
  const state = await release.state()
  const carried = await release.carried()
  const given = carried?.given ?? (await release.givenByFiles())
  const { values } = await release.file('stable')
  const declared = weightsOf(values)
  const isGiven = isDeepStrictEqual(withPodValues(values, given, await release.overlays()), values)
  const isRolledOut = !carried || (state?.workloads.stable?.isRolledOut === true && (await release.runsCarried(carried)))
  return {
    state,
    carried,
    given,
    situation: { declared, live: state?.route?.weights ?? declared, isGiven, isRolledOut, steps, passed },
  }
}

/**
 * Has nothing happen that was not announced, and nothing promoted that was not judged.
 * @param chart with which weights are moved
 * @throws {Failure} where that cannot be
 */
async function refuseUnprovable(
  { release, progress }: Session,
  { state, carried, situation }: Look,
  chart: string,
): Promise<void> {
  if (!state || !carried || (situation.isGiven && situation.isRolledOut)) return
  await release.proveGiven(carried)
  // What is written already is a step of its own.
  if (situation.isGiven && situation.declared.stable === 0) return
  for (const line of await release.refuseMore(state, chart)) progress.note(line)
}

async function doing(session: Session, options: Options, chart: string, terminal: Terminal): Promise<Player> {
  const { release, progress, replies } = session
  const { steps, pause, json, because } = options
  const change = { command: 'promote', because } as const
  let seen: Look | undefined
  let judged: { carried: Carried | undefined; given: Given; report: Report; percentage: number } | undefined
  const led = () => judged && judgedBy(judged.report, judged.percentage)
  const now = (): Look => seen as Look
  await refuseUnprovable(session, await look(session, steps, 0), chart)
  return {
    async look(passed) {
      seen = await look(session, steps, passed)
      if (judged && !isSame(judged, seen)) {
        progress.note('Canary was given something else meanwhile: it is judged again.')
        judged = undefined
        await refuseUnprovable(session, seen, chart)
        return { ...seen.situation, passed: 0 }
      }
      return seen.situation
    },
    async mayGoOn(step) {
      if (pause && step.kind !== 'done' && step.kind !== 'refuse') await ask(`Go on: ${titleOf(step)}?`, terminal)
    },
    async gate(step) {
      const { state, carried, given, situation } = now()
      if (!options.requests && situation.passed === 0) replies.refuseUnjudgeable(step.weights)
      // Where stable has been given it already, both run one version.
      if (situation.passed === 0) await replies.refuseUntold(state, situation.isGiven ? step.weights : { stable: 1, canary: 1 })
      if (!isInForce(state, situation.declared, step.weights)) {
        const to = { ...change, step: `give canary ${percent(step.percentage / 100)}`, weights: step.weights, judged: led() }
        if (state) await release.refuseMore(state, chart)
        await release.apply(titleOf(step), to, { chart })
      }
      const report = await judge(session, step)
      judged = { carried, given, report, percentage: step.percentage }
      if (report.verdict !== 'PASS') await giveUp(session, report, { ...change, judged: led() }, options, terminal)
      return report.verdict === 'PASS'
    },
    async change(step) {
      const { carried, given, situation } = now()
      if (step.kind === 'hand back') {
        await release.apply(titleOf(step), { ...change, step: HAND_BACK, weights: ALL_STABLE, judged: led() })
        return
      }
      if (carried) await release.proveGiven(carried)
      const to = { ...change, step: 'give stable what canary runs', weights: situation.declared, judged: led() }
      await release.apply(titleOf(step), to, { given })
      if (carried && !(await release.runsCarried(carried)))
        throw new Failure(
          'the pods that stable has now do not run what was judged in canary, such as another image under the same tag',
        )
    },
    async conclude() {
      const wasInterrupted = judged === undefined && (await wasHandedBack(session))
      if (judged || wasInterrupted) await conclude(session, json, terminal)
      else concludeWithout(session, now(), json, terminal)
    },
  }
}

const HAND_BACK = 'give stable all traffic'

/** Whether a promotion did all but take the last look. */
async function wasHandedBack({ release }: Session): Promise<boolean> {
  if (release.place.filesOnly) return false
  const last = await release.lastChange()
  return last?.command === 'promote' && last.step === HAND_BACK && last.judged?.verdict === 'PASS'
}

const isSame = (judged: { carried: Carried | undefined; given: Given }, { carried, given }: Look): boolean =>
  judged.carried && carried ? isSameCarried(judged.carried, carried) : isDeepStrictEqual(judged.given, given)

const judgedBy = ({ verdict, sample, gates }: Report, percentage: number): Judged => ({
  verdict,
  percentage,
  requests: sample.requests,
  gates: gates.filter((gate) => gate.verdict !== 'PASS' && gate.verdict !== 'NOT APPLICABLE').map(({ name }) => name),
})

/** Writes what would be done if every gate passed. */
async function rehearsing(session: Session, { steps, traffic }: Options, chart: string, { stdout }: Terminal): Promise<Player> {
  const { release } = session
  const first = await look(session, steps, 0)
  const { given } = first
  let { situation } = first
  let file: ValuesFile | undefined
  const write = (...lines: string[]) => stdout.write(`${lines.join('\n')}\n`)
  const edit = async (step: GateStep | ChangeStep, weights: Weights, given?: Given) => {
    const planned = await release.edited(weights, given, file)
    const isGateAsItIs = step.kind === 'gate' && planned.after.text === planned.before.text
    const chartOfStep = step.kind === 'gate' ? chart : undefined
    if (!isGateAsItIs) write(titleOf(step), ...(await release.plannedLines(planned, painter(stdout), chartOfStep)), '')
    file = planned.after
    situation = { ...situation, declared: weights, live: weights }
  }
  await refuseUnprovable(session, first, chart)
  return {
    async look(passed) {
      return { ...situation, passed }
    },
    async mayGoOn() {},
    async gate(step) {
      await edit(step, step.weights)
      const isBaked = traffic && step.weights.stable > 0
      write(judgementTitleOf(step), ...(isBaked ? [`  and by ${traffic.bake / 1000} s of real traffic`] : []), '')
      situation = { ...situation, passed: step.percentage }
      return true
    },
    async change(step) {
      if (step.kind === 'hand back') return edit(step, ALL_STABLE)
      await edit(step, situation.declared, given)
      situation = { ...situation, isGiven: true, isRolledOut: true }
    },
    async conclude() {
      write(situation.passed > 0 || first.situation.isGiven === false ? 'Check that every reply is from stable' : NOTHING)
    },
  }
}

const NOTHING = 'Nothing to promote: stable runs what canary runs.'

/** There was nothing to judge, and so nothing is promoted. */
function concludeWithout(session: Session, { situation: { live } }: Look, json: true | undefined, { stdout }: Terminal): void {
  const { progress } = session
  if (json) stdout.write(`${JSON.stringify(promoteOutput('nothing to promote', session))}\n`)
  progress.note(NOTHING)
  if (live.canary > 0) progress.note(`Traffic stays at ${showWeights(live)}: "rollback" gives all of it to stable.`)
}

function isInForce(state: ClusterState | undefined, declared: Weights, weights: Weights): boolean {
  if (!state) return showWeights(declared) === showWeights(weights)
  const { releases, route } = state
  const isLive = route?.problems.length === 0 && showWeights(route.weights) === showWeights(weights)
  return isLive && releases.stable?.status === 'deployed'
}

/** Judges canary, again while nobody could be asked and there is time. */
async function judge({ release, replies, patience }: Session, step: GateStep): Promise<Report> {
  const startedAt = performance.now()
  const state = await release.state()
  const target = await replies.target(state)
  const expectation = await replies.expected(state, step.weights)
  await replies.settle(target, expectation, startedAt)
  const until = performance.now() + patience
  const title = judgementTitleOf(step)
  let report = await replies.check(title, target, expectation)
  const { maxErrorRate } = replies.limits
  // Silence is not put down to chance, and nobody is served meanwhile.
  const isWorthAnother = ({ verdict, sample }: Report) =>
    verdict === 'INCONCLUSIVE' && !whyNotAsked(sample) && (isVoid(sample) || whyRefused(sample, maxErrorRate) !== undefined)
  while (isWorthAnother(report) && performance.now() < until) report = await replies.check(title, target, expectation)
  return (report.verdict === 'PASS' ? await replies.bake(title, step.weights) : undefined) ?? report
}

async function giveUp(
  session: Session,
  report: Report,
  change: Omit<Change, 'step' | 'weights'>,
  { json }: Options,
  terminal: Terminal,
): Promise<void> {
  const { stdout, exitWith } = terminal
  const { progress, replies } = session
  if (!json) stdout.write(`\n${reportText(report, columnsOf(stdout), painter(stdout))}\n`)
  const { seconds, notes: left } = await takeBack(session, change, true)
  const isSilent = report.from === 'own requests' && whyNotAsked(report.sample) !== undefined
  const notes = isSilent ? [FELL_SILENT, ...left] : left
  const back = seconds === undefined ? 'but replies do not show it yet' : `on the wire after ${seconds.toFixed(1)} s`
  for (const note of notes) progress.note(note)
  const { replies: answered, errors } = replies.byCanary
  progress.note(`\nThis took ${count(answered, 'request')} to canary, of which ${whole(errors)} failed.`)
  if (report.from === 'real traffic') {
    const ofCanary = report.sample.sources.filter(({ role }) => role === 'canary')
    const [requests, failed] = [sum(ofCanary.map(({ replies }) => replies)), sum(ofCanary.map(({ errors }) => errors.total))]
    progress.note(`Of real traffic, it took ${count(requests, 'request')} to canary, of which ${whole(failed)} failed.`)
  }
  progress.note(`Not promoted: ${report.verdict}. Back at 100/0, ${back}.`)
  if (json) stdout.write(`${JSON.stringify(promoteOutput('taken back', session, report, notes))}\n`)
  exitWith(exitCodes[report.verdict])
}

const FELL_SILENT =
  'Somebody answered here before, and nobody does any more: canary has fallen silent, or what is in front of it, which replies do not tell apart.'

/** The last look: every reply is stable's, and says the new version. */
async function conclude(session: Session, json: true | undefined, terminal: Terminal): Promise<void> {
  const { release, replies, progress } = session
  const { stdout, exitWith } = terminal
  const state = await release.state()
  const target = await replies.target(state)
  const expectation = await replies.expected(state, ALL_STABLE)
  await replies.settle(target, expectation, performance.now())
  const report = await replies.check('Check that every reply is from stable', target, expectation)
  const isPromoted = report.verdict === 'PASS'
  if (json) stdout.write(`${JSON.stringify(promoteOutput(isPromoted ? 'promoted' : 'not seen', session, report))}\n`)
  else stdout.write(`\n${reportText(report, columnsOf(stdout), painter(stdout))}`)
  const { sources } = report.sample
  const version = expectation.find(({ role }) => role === 'stable')?.version ?? sources[0]?.version
  const isTold = sources.some(({ role }) => role !== undefined)
  if (isPromoted) progress.note(`Promoted: stable serves everything${version === undefined ? '' : `, as ${version}`}.`)
  if (isPromoted && !isTold)
    progress.note('Replies do not tell it from canary, which runs the same version: the route says so alone.')
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

const promoteOutput = (
  outcome: PromoteOutput['outcome'],
  { progress: { done }, replies: { byCanary } }: Session,
  report?: Report,
  notes: readonly string[] = [],
): PromoteOutput => ({
  promoted: outcome === 'promoted',
  outcome,
  steps: done,
  report: report ? checkOutput(report) : null,
  byCanary,
  notes: [...notes],
})
