import type { ClusterState } from '../cluster/clusterState.ts'
import type { HelmAndKubectl } from '../cluster/helmAndKubectl.ts'
import { Interrupted, WrongUse } from '../errors.ts'
import { count, whole } from '../format.ts'
import type { Progress } from '../output/progress.ts'
import { type Role, roles } from '../roles.ts'
import { MOST_REQUESTS, type Outcome } from '../sampling/sample.ts'
import type { Target } from '../sampling/versionClient.ts'
import { declaredSplit } from '../values/declaredSplit.ts'
import type { ValuesReader } from '../values/valuesReader.ts'
import { ALL_STABLE, showWeights, type Weights } from '../values/weights.ts'
import { byRole, type Expectation, findExpected, nameOf, shares, WHERE_TOLD, whyUntold } from '../verdict/expectation.ts'
import { judgeTraffic, progressText, requirePrometheus, type TrafficSettings } from '../verdict/judgeTraffic.ts'
import { type Limits, sizeText, usualSize } from '../verdict/plan.ts'
import { MOST_BY_DEFAULT, type Report, sampleAndJudge } from '../verdict/sampleAndJudge.ts'
import { waitForReplies } from '../verdict/waitForReplies.ts'
import { findTarget, firstReplies, type WhereToAsk } from './findTarget.ts'
import { liveExpectation } from './liveExpectation.ts'

export interface RepliesSettings extends WhereToAsk {
  /** Its values files say what to expect where no cluster is asked. */
  readonly chart: string
  /** Files laid over values-stable.yaml. */
  readonly values: readonly string[]
  readonly limits: Limits
  /** The most requests of each sample; by default as many as it takes. */
  readonly requests?: number
  /** How many samples the command judges at most, by default one: its error rates are for all of it. */
  readonly judgements?: number
  /** Requests a second on average, at most. */
  readonly rate: number
  /** In milliseconds: how long replies may take to follow. */
  readonly patience: number
  /** Where real traffic is judged as well. */
  readonly traffic?: TrafficSettings | undefined
}

/** The replies that come through the gateway, and what they should be. */
export class Replies {
  readonly #settings: RepliesSettings
  readonly #tools: HelmAndKubectl
  readonly #reader: ValuesReader
  readonly #progress: Progress
  readonly #signal: AbortSignal
  #target: Target | undefined
  #mayHide: readonly string[] = []
  /** What asking cost: the requests of this command that canary answered, and those of them that failed. */
  readonly byCanary = { replies: 0, errors: 0 }

  constructor(settings: RepliesSettings, tools: HelmAndKubectl, reader: ValuesReader, progress: Progress, signal: AbortSignal) {
    this.#settings = settings
    this.#tools = tools
    this.#reader = reader
    this.#progress = progress
    this.#signal = signal
  }

  /**
   * Whom to ask; once found, it stays.
   * @throws {Failure} with one line, when nobody knows where to ask
   */
  async target(state: ClusterState | undefined): Promise<Target> {
    this.#target ??= await findTarget(this.#settings, state, this.#signal)
    this.#mayHide = state?.route?.mayHide ?? []
    return this.#target
  }

  get limits(): Limits {
    return this.#settings.limits
  }

  /** What replies should be like, by version and role. */
  async expected(state: ClusterState | undefined, weights: Weights): Promise<Expectation> {
    if (state) return liveExpectation(state, weights, this.#settings.roleFrom)
    const versions = await this.#declaredVersions()
    return shares(
      roles.map((role) => ({ role, ...(versions[role] !== undefined && { version: versions[role] }), weight: weights[role] })),
    )
  }

  /** All replies are stable's, whatever its version where another header says whose they are: it may be on the way back. */
  async allStable(state: ClusterState | undefined): Promise<Expectation> {
    const expectation = await this.expected(state, ALL_STABLE)
    return this.#settings.roleFrom?.text === 'version' ? expectation : expectation.map(({ version: _, ...entry }) => entry)
  }

  async #declaredVersions(): Promise<Record<Role, string | undefined>> {
    const { chart, values, roleFrom } = this.#settings
    const split = await declaredSplit(this.#reader, chart, values, roleFrom)
    const version = (role: Role) => split.find((entry) => entry.role === role)?.version
    return { stable: version('stable'), canary: version('canary') }
  }

  /**
   * @throws {WrongUse} where a share is so small that a sample of the size that is chosen by default would be huge
   */
  refuseUnjudgeable(weights: Weights): void {
    const { limits, requests } = this.#settings
    if (requests !== undefined) return
    const usual = usualSize(byRole(weights), limits)
    if (usual <= MOST_BY_DEFAULT) return
    const what =
      usual <= MOST_REQUESTS
        ? ', and more in case of doubt: say how many at most with --requests, or choose a larger share'
        : `, and --requests may be ${whole(MOST_REQUESTS)} at most: choose a larger share`
    throw new WrongUse(`to judge ${showWeights(weights)} takes ${sizeText(usual)} requests${what}`)
  }

  /**
   * @param weights of those who must be told apart
   * @throws {WrongUse} where replies do not tell canary from stable, so that nothing could be judged by them
   */
  async refuseUntold(state: ClusterState | undefined, weights: Weights): Promise<void> {
    const expectation = await this.expected(state, weights)
    const { sources } = await firstReplies(await this.target(state), this.#signal)
    const [first] = sources
    if (!first || first.role !== undefined) return
    let why = whyUntold(expectation, sources)
    const [stable, canary] = expectation.map(({ version }) => version)
    if (!why && !findExpected(expectation, first))
      why = `replies say ${nameOf(first)}, but stable is ${stable ?? 'unknown'} and canary ${canary ?? 'unknown'}: ${WHERE_TOLD}`
    if (why) throw new WrongUse(`canary cannot be judged: ${why}`)
  }

  /**
   * Waits until replies come as they should.
   * @returns how many seconds after `startedAt` the first of those was asked for; undefined when they did not come
   */
  async settle(target: Target, expectation: Expectation, startedAt: number): Promise<number | undefined> {
    const { patience, rate } = this.#settings
    const until = performance.now() + patience
    return this.#progress.step(
      'Wait until replies follow',
      async () => {
        const since = await waitForReplies(target, expectation, patience, this.#signal, rate, this.#counting(expectation))
        return since === undefined ? undefined : (since - startedAt) / 1000
      },
      (seconds) => {
        if (seconds !== undefined) return `after ${seconds.toFixed(1)} s`
        return performance.now() < until ? 'replies do not tell' : `not within ${patience / 1000} s`
      },
    )
  }

  #counting(expectation: Expectation): (outcome: Outcome) => void {
    return ({ version, role, error }) => {
      if (findExpected(expectation, { version, role })?.role !== 'canary') return
      this.byCanary.replies++
      if (error !== undefined) this.byCanary.errors++
    }
  }

  /** @throws {WrongUse} where Prometheus is to be asked, but does not answer */
  async requirePrometheus(): Promise<void> {
    const { traffic } = this.#settings
    if (traffic) await requirePrometheus(traffic, this.#signal)
  }

  /** Judges real traffic, where that was asked for; undefined where it was not, or one of the two gets none of it to compare with. */
  async bake(title: string, { stable, canary }: Weights): Promise<Report | undefined> {
    const { traffic, limits, judgements, patience } = this.#settings
    if (!traffic || stable === 0 || canary === 0) return undefined
    const namespace = await this.#tools.namespace()
    return this.#progress.step(
      `${title}, by real traffic`,
      async (say) => {
        let said = { trouble: '', at: 0 }
        const report = await judgeTraffic({
          ...traffic,
          names: this.#tools.names,
          namespace,
          expectation: byRole({ stable, canary }),
          limits,
          ...(judgements !== undefined && { steps: 2 * judgements }),
          patience,
          signal: this.#signal,
          onProgress: (elapsedMs, sample, trouble = '') => {
            if (trouble === said.trouble && elapsedMs < said.at + SAY_EVERY_MS) return
            said = { trouble, at: elapsedMs }
            say(progressText(traffic.bake, elapsedMs, sample, trouble))
          },
        })
        if (this.#signal.aborted) throw new Interrupted()
        return report
      },
      describe,
    )
  }

  /** Takes a sample and judges it. */
  async check(title: string, target: Target, expectation: Expectation): Promise<Report> {
    const { limits, requests, rate, judgements, traffic } = this.#settings
    return this.#progress.step(
      title,
      async () => {
        const report = await sampleAndJudge({
          target,
          expectation,
          limits,
          requests,
          ...(judgements !== undefined && { steps: traffic ? 2 * judgements : judgements }),
          rate,
          mayHide: this.#mayHide,
          signal: this.#signal,
          onOutcome: this.#counting(expectation),
        })
        if (this.#signal.aborted) throw new Interrupted()
        return report
      },
      describe,
    )
  }
}

const SAY_EVERY_MS = 10_000

/** The rest is in the report, unless there is to be another. */
function describe({ verdict, gates, sample }: Report): string {
  const reasons = new Set(gates.filter((gate) => gate.verdict === 'INCONCLUSIVE').map(({ reason }) => reason))
  return [`${verdict}, ${count(sample.requests, 'request')}`, ...(verdict === 'INCONCLUSIVE' ? reasons : [])].join('; ')
}
