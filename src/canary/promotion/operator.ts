import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterState, Revision } from '../cluster/clusterState.ts'
import { HelmAndKubectl } from '../cluster/helmAndKubectl.ts'
import { readClusterState, readRelease } from '../cluster/readClusterState.ts'
import { Failure, Interrupted } from '../errors.ts'
import { count } from '../format.ts'
import type { MovingOptions } from '../options.ts'
import { limitsOf } from '../options.ts'
import { diffText } from '../output/diffText.ts'
import type { Progress } from '../output/progress.ts'
import type { Paint } from '../output/terminal.ts'
import { type Role, releaseName, roles } from '../roles.ts'
import type { Target } from '../sampling/versionClient.ts'
import { declaredSplit } from '../values/declaredSplit.ts'
import { differences } from '../values/differences.ts'
import { type Content, showWeights, type Values, type Weights, weightsOf, withContent, withWeights } from '../values/values.ts'
import { readOverlays, readValues, valuesFile, writeValues } from '../values/valuesFiles.ts'
import { type Expectation, shares } from '../verdict/expectation.ts'
import { type Report, sampleAndJudge } from '../verdict/sampleAndJudge.ts'
import { waitForReplies } from '../verdict/waitForReplies.ts'
import { contentToRestore } from './contentToRestore.ts'
import { targetFor } from './targetFor.ts'

/** Between two looks at the cluster. */
const POLL_MS = 500
/** As long as Helm waits itself, by default. */
const HELM_MS = 5 * 60_000
/** A Helm that is alive notices well within this that everything is ready, and says so. */
const QUIET_MS = 10_000

/** Does what an operator would do by hand with an editor and Helm, and looks at what comes of it. */
export class Operator {
  readonly options: MovingOptions
  readonly #programs: HelmAndKubectl
  readonly #progress: Progress
  readonly #signal: AbortSignal
  readonly #overlays: Values[]

  constructor(options: MovingOptions, progress: Progress, signal: AbortSignal) {
    this.options = options
    this.#progress = progress
    this.#signal = signal
    this.#programs = new HelmAndKubectl(options, signal)
    this.#overlays = readOverlays(options.values)
  }

  /** A values file, as it is now. */
  file(role: Role): ReturnType<typeof readValues> {
    return readValues(valuesFile(this.options.chart, role))
  }

  /** Where things stand in the cluster; undefined with --files-only. */
  async standing(): Promise<ClusterState | undefined> {
    if (this.options.filesOnly) return undefined
    const standing = await readClusterState(this.#programs)
    this.#refuseOthers(standing)
    return standing
  }

  #refuseOthers({ owner, releases: { stable } }: ClusterState): void {
    if (owner) throw new Failure(`${owner.name} owns these objects, and would undo what is done here: ${owner.instead}`)
    if (!stable) return
    const { lacking } = differences([this.file('stable').values, ...this.#overlays], stable.values)
    const lost = lacking.filter((name) => !/^(traffic|image|env)(\.|$)/.test(name))
    if (lost.length > 0) {
      throw new Failure(
        `${releaseName('stable')} was installed with ${lost.join(', ')}, which values-stable.yaml lacks and an upgrade would lose: give the file that has it with --values`,
      )
    }
  }

  /** What an edit makes of values-stable.yaml, or of another text in its place. */
  edited(
    weights: Weights,
    content?: Content,
    before = this.file('stable').text,
  ): { path: string; before: string; after: string } {
    const path = valuesFile(this.options.chart, 'stable')
    const moved = withWeights(before, weights, path)
    return { path, before, after: content ? withContent(moved, content, this.file('canary').text, path) : moved }
  }

  /** The arguments of the command that applies values-stable.yaml. */
  get #upgradeArguments(): string[] {
    const { chart, values } = this.options
    const files = [valuesFile(chart, 'stable'), ...values].flatMap((file) => ['--values', file])
    return ['upgrade', '--install', releaseName('stable'), chart, ...files]
  }

  /** The same, as typed. */
  get #upgradeCommand(): string {
    return ['helm', ...this.#upgradeArguments, '--wait', ...this.#programs.whereHelm].join(' ')
  }

  /** What `apply` would do, in lines: the edit, and the command where there is one. */
  rehearsal({ path, before, after }: ReturnType<Operator['edited']>, paint: Paint): string[] {
    return [...diffText(path, before, after, paint), ...(this.options.filesOnly ? [] : [this.#upgradeCommand])]
  }

  /**
   * Edits values-stable.yaml, once, and applies it.
   * @param isUrgent does not wait for pods or gateway, and overwrites what somebody has changed by hand
   */
  async apply(title: string, weights: Weights, content?: Content, isUrgent = false): Promise<void> {
    const { filesOnly } = this.options
    await this.#progress.step(
      title,
      async (say) => {
        const { path, before, after } = this.edited(weights, content)
        await writeValues(path, before, after)
        if (filesOnly) return before !== after
        say('helm upgrade')
        await this.#upgrade(isUrgent, say)
        if (isUrgent) return true
        say('waiting for the Gateway')
        await this.#inForce(weights)
        return before !== after
      },
      (isEdited) => (filesOnly ? (isEdited ? 'written' : 'was written before') : 'done'),
    )
  }

  async #upgrade(isUrgent: boolean, say: (text: string) => void): Promise<void> {
    const args = [...this.#upgradeArguments, ...(isUrgent ? [] : ['--wait'])]
    try {
      await this.#programs.helm(...args)
    } catch (error) {
      const [, by] = (error instanceof Failure && /conflict with "([^"]+)"/.exec(error.message)) || []
      if (by === undefined) throw error
      if (!isUrgent) {
        throw new Failure(
          `${by} has changed live objects by hand, which Helm does not overwrite: have the files win with "${this.#upgradeCommand} --force-conflicts", then start again`,
        )
      }
      say(`overwriting what ${by} has changed by hand`)
      await this.#programs.helm(...args, '--force-conflicts')
    }
  }

  /** Waits until the gateway has the weights, and stable's pods are what they should be. */
  async #inForce(weights: Weights): Promise<void> {
    const until = performance.now() + this.options.patience
    for (;;) {
      const { route, workloads } = await readClusterState(this.#programs)
      if (!route) throw new Failure(`there is no HTTPRoute ${releaseName('stable')}: gateway.enabled must be true for stable`)
      if (showWeights(route.weights) !== showWeights(weights))
        throw new Failure(
          `the route says ${showWeights(route.weights)} after an upgrade to ${showWeights(weights)}: somebody else changes it`,
        )
      const problems = [...route.problems, ...(workloads.stable?.isRolledOut ? [] : ['stable still has pods of before'])]
      if (problems.length === 0) return
      if (performance.now() > until) throw new Failure(`${showWeights(weights)} is not in force: ${problems.join('; ')}`)
      await this.#pause()
    }
  }

  /** Waits until every pod of stable is what it should be. */
  async rolledOut(): Promise<void> {
    await this.#progress.step('Wait for the pods of stable', () =>
      this.#programs.kubectl('rollout', 'status', `deployment/${releaseName('stable')}`, `--timeout=${HELM_MS / 1000}s`),
    )
  }

  /** Sees to a release that a Helm left in the middle of its work. */
  async recover(isUrgent: boolean): Promise<void> {
    if (this.options.filesOnly) return
    const found = await readRelease(this.#programs, 'stable')
    if (!found?.status.startsWith('pending')) return
    await this.#progress.step(
      `${releaseName('stable')} is ${found.status}, left by a Helm that may still run`,
      async (say) => {
        say('waiting for it to end')
        const now = await this.#quiet(isUrgent)
        if (!now?.status.startsWith('pending')) return now?.status ?? 'gone'
        // Helm takes "deployed" from the old revision before it gives it to the new one: one that dies in between leaves none.
        const good = (await this.#revisions(now)).find(({ status }) => status === 'deployed' || status === 'superseded')
        if (!good)
          throw new Failure(
            `${releaseName('stable')} is ${now.status} and was never deployed: helm uninstall it, and install it again`,
          )
        say(`nothing moves, so it has died: helm rollback to revision ${good.revision}`)
        await this.#programs.helm('rollback', releaseName('stable'), `${good.revision}`)
        return `it had died, and revision ${good.revision} is back`
      },
      (result) => result,
    )
  }

  /** Waits until the release is pending no more, or nothing has moved for a while. */
  async #quiet(isUrgent: boolean): Promise<Revision | undefined> {
    let since = isUrgent ? 0 : Date.now()
    for (;;) {
      const { releases, workloads } = await readClusterState(this.#programs)
      const { stable } = releases
      if (!stable?.status.startsWith('pending')) return stable
      // Whoever waits for pods is alive, until Helm's own patience ends.
      const mayWait = !isUrgent && workloads.stable?.isRolledOut === false && Date.now() - stable.at < HELM_MS
      if (mayWait) since = Date.now()
      if (Date.now() - Math.max(since, stable.at) > QUIET_MS) return stable
      await this.#pause()
    }
  }

  async #pause(): Promise<void> {
    await sleep(POLL_MS, undefined, { signal: this.#signal }).catch(() => {
      throw new Interrupted()
    })
  }

  /** Of stable, the newest first. */
  async #revisions(newest: Revision): Promise<Revision[]> {
    const text = await this.#programs.helm('history', releaseName('stable'), '--output', 'json')
    const numbers = (JSON.parse(text) as { revision: number }[]).map(({ revision }) => revision).toSorted((a, b) => b - a)
    const older = numbers.filter((revision) => revision < newest.revision)
    const read = await Promise.all(older.map((revision) => readRelease(this.#programs, 'stable', revision)))
    return [newest, ...read.filter((revision) => revision !== undefined)]
  }

  /** What an unfinished promotion has taken the place of. */
  async contentToRestore({ releases: { stable, canary } }: ClusterState): Promise<Content | undefined> {
    if (!stable || !canary) return undefined
    // Reading history takes time, and where stable serves, there is none that counts.
    const revisions = weightsOf(stable.values).stable > 0 ? [stable] : await this.#revisions(stable)
    return contentToRestore(canary.values, this.file('stable').values, revisions)
  }

  /** Whom to ask. */
  target(standing: ClusterState | undefined): Target {
    return targetFor(this.options, standing)
  }

  /** What replies should be like, by version and role. */
  expected(standing: ClusterState | undefined, weights: Weights): Expectation {
    const versions: Record<Role, string | undefined> = standing
      ? { stable: standing.workloads.stable?.version, canary: standing.workloads.canary?.version }
      : declaredVersions(this.options.chart)
    return shares(
      roles.map((role) => ({ role, ...(versions[role] !== undefined && { version: versions[role] }), weight: weights[role] })),
    )
  }

  /**
   * Waits until replies come as they should.
   * @returns how long after `startedAt` they did so; undefined where that was not within --patience
   */
  async settle(target: Target, expectation: Expectation, startedAt: number): Promise<number | undefined> {
    return this.#progress.step(
      'Wait until replies follow',
      async () => {
        const since = await waitForReplies(target, expectation, this.options.patience, this.#signal)
        return since === undefined ? undefined : (since - startedAt) / 1000
      },
      (seconds) => (seconds === undefined ? `not within ${this.options.patience / 1000} s` : `after ${seconds.toFixed(1)} s`),
    )
  }

  /** Takes a sample and judges it. */
  async check(title: string, target: Target, expectation: Expectation, requests?: number): Promise<Report> {
    return this.#progress.step(
      title,
      async () => {
        const report = await sampleAndJudge({
          target,
          expectation,
          limits: limitsOf(this.options),
          requests,
          rate: Number.POSITIVE_INFINITY,
          signal: this.#signal,
        })
        if (this.#signal.aborted) throw new Interrupted()
        return report
      },
      describe,
    )
  }

  /** Has somebody who interrupts know where things stand, and what to do next. */
  async interruptible(act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error
      throw new Interrupted(`interrupted: ${await this.whereThingsStand()}`)
    }
  }

  /** On one line, for somebody who has to stop here. */
  async whereThingsStand(): Promise<string> {
    const next = 'the same command again goes on from there, "rollback" goes back to 100/0'
    const declared = `values-stable.yaml says ${showWeights(weightsOf(this.file('stable').values))}`
    if (this.options.filesOnly) return `${declared}; ${next}`
    try {
      const { route, releases } = await readClusterState(new HelmAndKubectl(this.options, AbortSignal.timeout(10_000)))
      const live = route ? showWeights(route.weights) : 'is not there'
      return `${declared}, the route ${live}, and ${releaseName('stable')} is ${releases.stable?.status ?? 'not installed'}; ${next}`
    } catch {
      return `${declared}, and the cluster does not answer; ${next}`
    }
  }
}

function declaredVersions(chart: string): Record<Role, string | undefined> {
  const split = declaredSplit(chart)
  const version = (role: Role) => split.find((entry) => entry.role === role)?.version
  return { stable: version('stable'), canary: version('canary') }
}

/** The rest is in the report, unless there is to be another. */
function describe({ verdict, gates, sample }: Report): string {
  const reasons = gates.filter((gate) => gate.verdict === 'INCONCLUSIVE').map(({ reason }) => reason)
  return [`${verdict}, ${count(sample.requests, 'request')}`, ...(verdict === 'INCONCLUSIVE' ? reasons : [])].join('; ')
}
