import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterState, Revision } from '../cluster/clusterState.ts'
import type { HelmAndKubectl } from '../cluster/helmAndKubectl.ts'
import { readClusterState, readRelease } from '../cluster/readClusterState.ts'
import { Failure, Interrupted } from '../errors.ts'
import { diffText } from '../output/diffText.ts'
import type { Progress } from '../output/progress.ts'
import type { Paint } from '../output/terminal.ts'
import { type Role, releaseName } from '../roles.ts'
import { differences } from '../values/differences.ts'
import { editValues } from '../values/editValues.ts'
import { type PodValues, withPodValues } from '../values/podValues.ts'
import { readOverlays } from '../values/readOverlays.ts'
import type { Values } from '../values/values.ts'
import { type ValuesFile, type ValuesReader, valuesPath } from '../values/valuesReader.ts'
import { showWeights, type Weights, weightsOf, withWeights } from '../values/weights.ts'
import { writeValues } from '../values/writeValues.ts'
import { podValuesToRestore } from './podValuesToRestore.ts'

/** Between two looks at the cluster. */
const POLL_MS = 500
/** As long as Helm waits itself, by default. */
const HELM_MS = 5 * 60_000
/** A Helm that is alive notices well within this that everything is ready, and says so. */
const QUIET_MS = 10_000

/** Where the files and the releases are. */
export interface Place {
  /** The chart's folder, with values-stable.yaml and values-canary.yaml. */
  readonly chart: string
  /** Files laid over values-stable.yaml. */
  readonly values: readonly string[]
  readonly namespace?: string
  readonly kubeContext?: string
  /** Files are edited, and something else applies them. */
  readonly filesOnly?: boolean
}

/** An urgent change waits for nothing, and overwrites what somebody has changed by hand. */
export type Haste = 'careful' | 'urgent'

/** What becomes of values-stable.yaml. */
export interface Edit {
  readonly before: ValuesFile
  readonly after: ValuesFile
}

/** Stable's release and its values file, changed as an operator would with an editor and Helm. */
export class StableRelease {
  readonly place: Place
  readonly #patienceMs: number
  readonly #tools: HelmAndKubectl
  readonly #progress: Progress
  readonly #signal: AbortSignal
  readonly #reader: ValuesReader

  /** @param patienceMs how long the route may take to follow */
  constructor(
    place: Place,
    patienceMs: number,
    tools: HelmAndKubectl,
    reader: ValuesReader,
    progress: Progress,
    signal: AbortSignal,
  ) {
    this.place = place
    this.#patienceMs = patienceMs
    this.#progress = progress
    this.#signal = signal
    this.#tools = tools
    this.#reader = reader
  }

  /** A values file, as it is now. */
  file(role: Role): Promise<ValuesFile> {
    return this.#reader.file(valuesPath(this.place.chart, role))
  }

  /**
   * The state of the cluster; undefined where only files are edited.
   * @throws {Failure} where an upgrade is not ours to make, or would lose values
   * @throws {WrongUse} where a file is not what it must be
   */
  async state(): Promise<ClusterState | undefined> {
    const { values } = await this.file('stable')
    const files = [values, ...(await readOverlays(this.#reader, this.place.values))]
    if (this.place.filesOnly) return undefined
    const state = await readClusterState(this.#tools)
    this.#refuseOthers(state, files)
    return state
  }

  #refuseOthers({ owner, releases: { stable } }: ClusterState, files: readonly Values[]): void {
    if (owner) throw new Failure(`${owner.name} owns these objects, and would undo what is done here: ${owner.instead}`)
    if (!stable) return
    const { lacking } = differences(files, stable.values)
    const lost = lacking.filter((name) => !/^(traffic|image|env)(\.|$)/.test(name))
    if (lost.length > 0) {
      throw new Failure(
        `${releaseName('stable')} was installed with ${lost.join(', ')}, which values-stable.yaml lacks and an upgrade would lose: give the file that has it with --values`,
      )
    }
  }

  /** What an edit makes of values-stable.yaml, or of what an edit before has made of it. */
  async edited(weights: Weights, podValues?: PodValues, edited?: ValuesFile): Promise<Edit> {
    const before = edited ?? (await this.file('stable'))
    const moved = withWeights(before.values, weights)
    const wanted = podValues ? withPodValues(moved, podValues) : moved
    return { before, after: await editValues(this.#reader, before, wanted) }
  }

  get #upgradeArguments(): string[] {
    const { chart, values } = this.place
    const files = [valuesPath(chart, 'stable'), ...values].flatMap((file) => ['--values', file])
    return ['upgrade', '--install', releaseName('stable'), chart, ...files]
  }

  /** The same, as typed. */
  get #upgradeCommand(): string {
    return ['helm', ...this.#upgradeArguments, '--wait', ...this.#tools.whereHelm].join(' ')
  }

  /** What `apply` would do, in lines: the edit, and the command where there is one. */
  plannedLines({ before, after }: Edit, paint: Paint): string[] {
    return [...diffText(before.path, before.text, after.text, paint), ...(this.place.filesOnly ? [] : [this.#upgradeCommand])]
  }

  /** Edits values-stable.yaml, once, and applies it. */
  async apply(title: string, weights: Weights, haste: Haste, podValues?: PodValues): Promise<void> {
    const { filesOnly } = this.place
    await this.#progress.step(
      title,
      async (say) => {
        const { before, after } = await this.edited(weights, podValues)
        await writeValues(before.path, before.text, after.text)
        if (filesOnly) return before.text !== after.text
        say('helm upgrade')
        await this.#upgrade(haste, say)
        if (haste === 'urgent') return true
        say('waiting for the Gateway')
        await this.#inForce(weights)
        return before.text !== after.text
      },
      (isEdited) => (filesOnly ? (isEdited ? 'written' : 'was written before') : 'done'),
    )
  }

  async #upgrade(haste: Haste, say: (text: string) => void): Promise<void> {
    const args = [...this.#upgradeArguments, ...(haste === 'urgent' ? [] : ['--wait'])]
    try {
      await this.#tools.helm(...args)
    } catch (error) {
      const [, by] = (error instanceof Failure && /conflict with "([^"]+)"/.exec(error.message)) || []
      if (by === undefined) throw error
      if (haste === 'careful') {
        throw new Failure(
          `${by} has changed live objects by hand, which Helm does not overwrite: have the files win with "${this.#upgradeCommand} --force-conflicts", then start again`,
        )
      }
      say(`overwriting what ${by} has changed by hand`)
      await this.#tools.helm(...args, '--force-conflicts')
    }
  }

  /** Waits until the gateway has the weights, and stable's pods are what they should be. */
  async #inForce(weights: Weights): Promise<void> {
    const until = performance.now() + this.#patienceMs
    for (;;) {
      const { route, workloads } = await readClusterState(this.#tools)
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
      this.#tools.kubectl('rollout', 'status', `deployment/${releaseName('stable')}`, `--timeout=${HELM_MS / 1000}s`),
    )
  }

  /** Sees to a release that a Helm left in the middle of its work. */
  async recover(haste: Haste): Promise<void> {
    if (this.place.filesOnly) return
    const found = await readRelease(this.#tools, 'stable')
    if (!found?.status.startsWith('pending')) return
    await this.#progress.step(
      `${releaseName('stable')} is ${found.status}, left by a Helm that may still run`,
      async (say) => {
        say('waiting for it to end')
        const now = await this.#quiet(haste)
        if (!now?.status.startsWith('pending')) return now?.status ?? 'gone'
        // Helm takes "deployed" from the old revision before it gives it to the new one: one that dies in between leaves none.
        const good = (await this.#revisions(now)).find(({ status }) => status === 'deployed' || status === 'superseded')
        if (!good)
          throw new Failure(
            `${releaseName('stable')} is ${now.status} and was never deployed: helm uninstall it, and install it again`,
          )
        say(`nothing moves, so it has died: helm rollback to revision ${good.revision}`)
        await this.#tools.helm('rollback', releaseName('stable'), `${good.revision}`)
        return `it had died, and revision ${good.revision} is back`
      },
      (result) => result,
    )
  }

  /** Waits until the release is pending no more, or nothing has moved for a while. */
  async #quiet(haste: Haste): Promise<Revision | undefined> {
    let since = haste === 'urgent' ? 0 : Date.now()
    for (;;) {
      const { releases, workloads } = await readClusterState(this.#tools)
      const { stable } = releases
      if (!stable?.status.startsWith('pending')) return stable
      // Whoever waits for pods is alive, until Helm's own patience ends.
      const mayWait = haste === 'careful' && workloads.stable?.isRolledOut === false && Date.now() - stable.at < HELM_MS
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

  /** The newest first. */
  async #revisions(newest: Revision): Promise<Revision[]> {
    const text = await this.#tools.helm('history', releaseName('stable'), '--output', 'json')
    const numbers = (JSON.parse(text) as { revision: number }[]).map(({ revision }) => revision).toSorted((a, b) => b - a)
    const older = numbers.filter((revision) => revision < newest.revision)
    const read = await Promise.all(older.map((revision) => readRelease(this.#tools, 'stable', revision)))
    return [newest, ...read.filter((revision) => revision !== undefined)]
  }

  /** What an unfinished promotion has taken the place of. */
  async podValuesToRestore({ releases: { stable, canary } }: ClusterState): Promise<PodValues | undefined> {
    if (!stable || !canary) return undefined
    // Reading history takes time, and where stable serves, there is none that counts.
    const revisions = weightsOf(stable.values).stable > 0 ? [stable] : await this.#revisions(stable)
    return podValuesToRestore(canary.values, (await this.file('stable')).values, revisions)
  }
}
