import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'
import type { ClusterState, Route } from '../cluster/clusterState.ts'
import type { HelmAndKubectl } from '../cluster/helmAndKubectl.ts'
import { nameIn, parseManifest, type RenderedObject } from '../cluster/parseManifest.ts'
import { readAutoscalers } from '../cluster/readAutoscalers.ts'
import { readClusterState } from '../cluster/readClusterState.ts'
import { readImageDigests } from '../cluster/readImageDigests.ts'
import { type InstalledRevision, readHistory, readInstalled } from '../cluster/releaseRecord.ts'
import { Failure, Interrupted, WrongUse } from '../errors.ts'
import { typed } from '../format.ts'
import { diffText } from '../output/diffText.ts'
import type { Progress } from '../output/progress.ts'
import type { Paint } from '../output/terminal.ts'
import type { ReleaseNames, Role } from '../roles.ts'
import { editValues } from '../values/editValues.ts'
import { type Given, withPodValues } from '../values/podValues.ts'
import { readOverlays } from '../values/readOverlays.ts'
import type { Values } from '../values/values.ts'
import { type ValuesFile, type ValuesReader, valuesPath } from '../values/valuesReader.ts'
import { ALL_STABLE, sameSplit, showWeights, type Weights, weightsOf, withWeights } from '../values/weights.ts'
import { writeValues } from '../values/writeValues.ts'
import { capacity } from './capacity.ts'
import { type Carried, otherImage, readCarried, readChartName, readGiven } from './carried.ts'
import { compareManifests, comparePods, deploymentOf, listDifferences, podTemplateOf, showDifference } from './manifest.ts'
import { type Change, describeChange, parseDescription } from './releaseDescription.ts'
import { type Layer, Renderings } from './renderings.ts'
import { revisionToRestore } from './revisionToRestore.ts'

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

/** An urgent change waits for nothing. */
export type Haste = 'careful' | 'urgent'

/** Which objects an upgrade may take back that somebody has changed by hand. */
export type Overwritten = 'none' | 'route' | 'all'

/** What becomes of values-stable.yaml. */
export interface Edit {
  readonly before: ValuesFile
  readonly after: ValuesFile
}

/** How Helm is called. */
interface Upgrade {
  readonly chart: string
  readonly layers: readonly Layer[]
  readonly description: string
  readonly haste: Haste
  readonly overwritten: Overwritten
}

/** Stable's release and its values file, changed as an operator would with an editor and Helm. */
export class StableRelease {
  readonly place: Place
  readonly renderings: Renderings
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
    this.renderings = new Renderings(tools)
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

  overlays(): Promise<Values[]> {
    return readOverlays(this.#reader, this.place.values)
  }

  /**
   * The state of the cluster; undefined where only files are edited.
   * @throws {Failure} where an upgrade is not ours to make
   * @throws {WrongUse} where a file is not what it must be
   */
  async state(): Promise<ClusterState | undefined> {
    await this.file('stable')
    await this.overlays()
    const state = await this.live()
    if (state) refuseOwned(state.owner)
    return state
  }

  /** The same, whatever the files say and whoever owns it. */
  async live(): Promise<ClusterState | undefined> {
    return this.place.filesOnly ? undefined : readClusterState(this.#tools)
  }

  /** What is installed: the newest revision, or where that failed, the one that Helm goes on from. */
  async installed(): Promise<InstalledRevision | undefined> {
    const newest = await readInstalled(this.#tools, 'stable')
    if (!newest || newest.status === 'deployed') return newest
    return (await readHistory(this.#tools, 'stable')).find(({ status }) => status === 'deployed') ?? newest
  }

  /** What an edit makes of values-stable.yaml, or of what an edit before has made of it. */
  async edited(weights: Weights, given?: Given, edited?: ValuesFile): Promise<Edit> {
    const before = edited ?? (await this.file('stable'))
    const moved = withWeights(before.values, weights)
    const wanted = given ? withPodValues(moved, given, await this.overlays()) : moved
    return { before, after: await editValues(this.#reader, before, wanted) }
  }

  /** What Helm lays over the chart's values; of values-stable.yaml, `file` in its place. */
  layers(file?: Values): Layer[] {
    return [file ?? valuesPath(this.place.chart, 'stable'), ...this.place.values]
  }

  async #typed(chart: string): Promise<string> {
    const files = [valuesPath(this.place.chart, 'stable'), ...this.place.values].flatMap((file) => ['--values', file])
    // Another is unpacked for a moment only.
    const named = chart === this.place.chart ? chart : 'CHART OF THE INSTALLED REVISION'
    return typed(['helm', 'upgrade', this.#tools.names.stable, named, ...files, '--wait', ...(await this.#tools.whereHelm())])
  }

  /**
   * What keeps an upgrade from being the step that is announced and no more.
   * @throws {Failure} where it would change more, naming it and both ways out
   * @returns lines about what the chart renders anew each time
   */
  async refuseMore(state: ClusterState, chart = this.place.chart, file?: Values): Promise<string[]> {
    const installed = await this.installed()
    if (!installed) throw new Failure(`${this.#tools.names.stable} is not installed: helm upgrade --install it first`)
    const workload = state.workloads.stable
    const { differences, changing } = await this.renderings.unannounced(installed, workload, chart, this.layers(file))
    if (differences.length > 0)
      throw new Failure(
        `an upgrade would change more than this step (${listDifferences(differences)}): write what is installed into values-stable.yaml, or name its file with --values; or apply the files first with "${await this.#typed(chart)}"`,
      )
    return changing.map((difference) => `The chart renders this anew each time: ${showDifference(difference)}`)
  }

  /**
   * Has an upgrade take nothing back that somebody has changed in the live route: Helm 4 refuses by itself, and Helm 3 does not notice.
   * @throws {Failure} naming who, what, and how to go on
   */
  refuseChanged({ route, releases }: ClusterState): void {
    if (!route || !isChangedByHand(route)) return
    const installed = showWeights(weightsOf(releases.stable?.values ?? {}))
    throw new Failure(`${changedText(route)}: "shift ${installed}" brings back what is installed, or says how; then start again`)
  }

  /** What `apply` would do, in lines: the edit, the command, and all that changes in the cluster. */
  async plannedLines({ before, after }: Edit, paint: Paint, chart = this.place.chart): Promise<string[]> {
    const edit = diffText(before.path, before.text, after.text, paint)
    if (this.place.filesOnly) return edit
    const [installed, earlier] = [await this.installed(), this.#rehearsed]
    const rendered = await this.renderings.render(chart, this.layers(after.values))
    const differences = compareManifests(earlier ?? parseManifest(installed?.manifest ?? ''), rendered)
    this.#rehearsed = rendered
    return [...edit, await this.#typed(chart), ...differences.map((difference) => `  ${showDifference(difference)}`)]
  }

  /** What the step before would have installed, while steps are rehearsed. */
  #rehearsed: readonly RenderedObject[] | undefined

  /** Edits values-stable.yaml, once, and applies it. */
  async apply(
    title: string,
    change: Change,
    {
      given,
      chart = this.place.chart,
      overwritten = 'none',
    }: { given?: Given | undefined; chart?: string | undefined; overwritten?: Overwritten } = {},
  ): Promise<void> {
    const { filesOnly } = this.place
    const { weights } = change
    const notes: string[] = []
    await this.#progress.step(
      title,
      async (say) => {
        if (!filesOnly) notes.push(...(await this.#readyFor(weights, overwritten, say)))
        const { before, after } = await this.edited(weights, given)
        await writeValues(before.path, before.text, after.text)
        if (filesOnly) return before.text !== after.text
        say('helm upgrade')
        const layers = this.layers()
        const description = describeChange(change)
        const upgrade = { chart, layers, description, haste: 'careful', overwritten } as const
        if (overwritten === 'none') await this.#upgrade(upgrade, say)
        else await this.#upgradeOver(upgrade, weights, say)
        say('waiting for the Gateway')
        notes.push(...keptText(await this.#inForce(weights)))
        return before.text !== after.text
      },
      (isEdited) => (filesOnly ? (isEdited ? 'written' : 'was written before') : 'done'),
    )
    for (const line of notes) this.#progress.note(line)
  }

  /**
   * Has a step take back nothing that somebody has changed by hand, and waits until the release that it gives more has the pods for it.
   * @throws {Failure} where it would, or those pods do not come; nothing has been done then
   * @returns a line where that is not known
   */
  async #readyFor(weights: Weights, overwritten: Overwritten, say: (text: string) => void): Promise<string[]> {
    const until = performance.now() + this.#patienceMs
    let said: string | undefined
    for (;;) {
      const state = await readClusterState(this.#tools)
      if (overwritten === 'none') this.refuseChanged(state)
      await this.#refuseScaled(state)
      const found = capacity(state, await readAutoscalers(this.#tools, state.workloads), weights)
      if (found.kind === 'enough') return []
      if (found.kind === 'unknown') return [found.why]
      if (performance.now() > until) throw new Failure(found.why)
      if (found.why !== said) say(`waiting for pods: ${found.why}`)
      said = found.why
      await this.#pause()
    }
  }

  /** Replicas that somebody else has set, which an upgrade would take back. */
  async #refuseScaled({ workloads, names }: ClusterState): Promise<void> {
    const replicas = deploymentOf(parseManifest((await this.installed())?.manifest ?? ''), names.stable)?.spec.replicas
    const { name, wanted } = workloads.stable ?? {}
    if (replicas === undefined || wanted === undefined || wanted === replicas) return
    throw new Failure(
      `an upgrade would change more than this step (Deployment ${name}: spec.replicas ${wanted} → ${replicas}, scaled by kubectl or an autoscaler): write replicas ${wanted} into values-stable.yaml and apply it first`,
    )
  }

  /** The same upgrade, until the route is as it says: Helm 3 puts back what somebody has patched only where the weights change. */
  async #upgradeOver(upgrade: Upgrade, weights: Weights, say: (text: string) => void): Promise<void> {
    await this.#upgrade(upgrade, say)
    if (!(await this.#isPatched(weights))) return
    say('once more, over what somebody has changed by hand')
    await this.#upgrade({ ...upgrade, layers: [...upgrade.layers, { traffic: sameSplit(weights) }] }, say)
    await this.#upgrade(upgrade, say)
  }

  async #upgrade({ chart, layers, description, haste, overwritten }: Upgrade, say: (text: string) => void): Promise<void> {
    await this.renderings.withLayers(layers, async (values) => {
      const wait = haste === 'careful' ? ['--wait'] : []
      const args = ['upgrade', this.#tools.names.stable, chart, ...values, '--description', description, ...wait]
      try {
        await this.#tools.helm(...args)
      } catch (error) {
        if (!(error instanceof Failure)) throw error
        // In the plural where several fields are somebody else's, also those of one writer.
        const writers = [...error.message.matchAll(/conflicts? with "([^"]+)"/g)].map(([, name]) => name)
        if (writers.length === 0) throw error
        const by = [...new Set(writers)].join(' and ')
        // Helm ends at the first object, and the route comes after those that pods are made of.
        const isRoute = /, Kind=HTTPRoute:/.test(error.message)
        if (overwritten === 'none' || (overwritten === 'route' && !isRoute)) {
          throw new Failure(
            `${by} changed live objects by hand, which Helm does not overwrite: have the files win with "${await this.#typed(chart)} --force-conflicts", then start again`,
          )
        }
        say(`overwriting what ${by} changed by hand`)
        await this.#tools.helm(...args, '--force-conflicts')
      }
    })
  }

  /** Whether the file has canary's values while stable serves nothing, as an unfinished promotion leaves it. */
  async isGivenInFiles(): Promise<boolean> {
    const { values } = await this.file('stable')
    return weightsOf(values).stable === 0 && isDeepStrictEqual(withPodValues(values, await this.givenByFiles()), values)
  }

  /** What a promotion gives stable where no cluster is asked: what canary's file says. */
  async givenByFiles(): Promise<Given> {
    const { chart } = this.place
    const [{ values }, { values: computed }] = await Promise.all([
      this.file('canary'),
      this.#reader.release(chart, [valuesPath(chart, 'canary')]),
    ])
    return { values, computed }
  }

  /** What `takeBack` would do, in lines. */
  async plannedTakeBack(paint: Paint): Promise<string[]> {
    if (this.place.filesOnly) return this.plannedLines(await this.edited(ALL_STABLE), paint)
    const notes: string[] = []
    await this.#tools.findNames()
    const { base, restored } = await this.planTakeBack(notes)
    const edit = await this.edited(ALL_STABLE, asGiven(await this.#valuesToRestore(restored ?? base))).then(
      ({ before, after }) => diffText(before.path, before.text, after.text, paint),
      (error: unknown) => {
        if (error instanceof WrongUse) return [error.message]
        throw error
      },
    )
    const values = `VALUES OF REVISION ${base.revision}, WITH traffic ${showWeights(ALL_STABLE)}`
    const command = typed([
      ...['helm', 'upgrade', this.#tools.names.stable, `CHART OF REVISION ${base.revision}`, '--values', values],
      ...(await this.#tools.whereHelm()),
    ])
    const installed = parseManifest((await this.installed())?.manifest ?? '')
    const differences = await this.renderings.withInstalledChart(base, async (chart) =>
      compareManifests(installed, await this.renderings.render(chart, [withWeights(base.values, ALL_STABLE)])),
    )
    return [...edit, command, ...differences.map((difference) => `  ${showDifference(difference)}`), ...notes]
  }

  /** Sets 100/0 in values-stable.yaml alone. */
  async writeAllStable(title: string): Promise<void> {
    await this.#progress.step(
      title,
      async () => this.#editAllStable(undefined),
      (isEdited) => (isEdited ? 'written' : 'was written before'),
    )
  }

  async #editAllStable(restored: Values | undefined): Promise<boolean> {
    const { before, after } = await this.edited(ALL_STABLE, asGiven(restored))
    await writeValues(before.path, before.text, after.text)
    return before.text !== after.text
  }

  /**
   * Moves all traffic to stable, from what is installed: whatever else the files say, how many pods there are, and what cannot be
   * read, stays as it is. Then the file is edited.
   */
  async takeBack(change: Omit<Change, 'step' | 'weights'>): Promise<SetBack> {
    const notes: string[] = []
    await this.#tools.findNames()
    // Before a revision is brought back that says how many.
    const [replicas, state] = await Promise.all([this.#liveReplicas(), readClusterState(this.#tools).catch(unlessFailure)])
    if (state) refuseOwned(state.owner)
    else notes.push('Whether another controller owns these objects could not be seen.')
    await this.recover('urgent')
    const { base, restored } = await this.planTakeBack(notes)
    const step = restored ? 'take traffic back, and give stable back what it ran before' : 'take traffic back'
    const description = describeChange({ ...change, step, weights: ALL_STABLE })
    await this.#progress.step(restored ? 'Set 100/0, and give stable back what it ran before' : 'Set 100/0', async (say) => {
      say('helm upgrade')
      const upgrade = async (chart: string) => {
        const kept = await this.#withReplicas(chart, base, replicas)
        const layers = [withWeights(kept.values, ALL_STABLE)]
        await this.#upgradeOver({ chart, layers, description, haste: 'urgent', overwritten: 'all' }, ALL_STABLE, say)
        if (kept.isTakenBack && replicas !== undefined) {
          await this.#tools.kubectl('scale', `deployment/${this.#deploymentIn(base)}`, `--replicas=${replicas}`)
          notes.push(`No value of the chart says how many pods stable has: kubectl scaled it back to ${replicas}.`)
        }
      }
      await this.#withChartOf(base, upgrade, notes)
    })
    try {
      await this.#editAllStable(await this.#valuesToRestore(restored ?? base))
    } catch (error) {
      if (!(error instanceof WrongUse) && !(error instanceof Failure)) throw error
      notes.push(`Traffic has moved, but values-stable.yaml does not say so yet: ${error.message}`)
    }
    return { isRestored: restored !== undefined, notes }
  }

  /** What the files say beside the weights, and is not installed, and what somebody has changed by hand and Helm keeps. */
  async leftLines(): Promise<string[]> {
    const { route } = (await readClusterState(this.#tools).catch(unlessFailure)) ?? {}
    return [...(await this.#unappliedLines()), ...(route ? keptText(route) : [])]
  }

  async #unappliedLines(): Promise<string[]> {
    try {
      const installed = await this.installed()
      if (!installed) return []
      const { differences } = await this.renderings.unannounced(installed, undefined, this.place.chart, this.layers())
      return differences.length === 0 ? [] : [`The files say more, which is not installed: ${listDifferences(differences)}.`]
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return [`Whether the files say more than is installed could not be seen: ${error.message}`]
    }
  }

  /** Which revision is to serve everything; a revision to restore is one that an unfinished promotion took the place of. */
  async planTakeBack(notes: string[]): Promise<{ base: InstalledRevision; restored: InstalledRevision | undefined }> {
    const newest = await readInstalled(this.#tools, 'stable')
    if (!newest) throw new Failure(`${this.#tools.names.stable} is not installed: there is nothing to roll back`)
    const isServing = weightsOf(newest.values).stable > 0
    if (newest.status === 'deployed' && isServing) return { base: newest, restored: undefined }
    const history = await readHistory(this.#tools, 'stable')
    const canary = await readInstalled(this.#tools, 'canary').catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error
      notes.push(`Whether stable was given what canary runs is not known: ${error.message}`)
      return undefined
    })
    const restored = canary && revisionToRestore(history, (revision) => haveSamePods(canary, revision, this.#tools.names))
    const deployed = history.find(({ status }) => status === 'deployed') ?? newest
    if (!restored && deployed.revision !== newest.revision)
      notes.push(`Revision ${newest.revision} is ${newest.status}, so stable is back at revision ${deployed.revision}.`)
    return { base: restored ?? deployed, restored }
  }

  /** Has the upgrade made with the chart that the revision has, or else with the one in the folder. */
  async #withChartOf(base: InstalledRevision, act: (chart: string) => Promise<void>, notes: string[]): Promise<void> {
    let began = false
    try {
      await this.renderings.withInstalledChart(base, (chart) => {
        began = true
        return act(chart)
      })
    } catch (error) {
      if (began || !(error instanceof Failure)) throw error
      notes.push(`The chart comes from ${this.place.chart}, as the installed one is not known: ${error.message}`)
      await act(this.place.chart)
    }
  }

  /** What a revision of stable calls its Deployment; where it is not known, it is called as the release. */
  #deploymentIn(revision: InstalledRevision | undefined): string {
    return nameIn(parseManifest(revision?.manifest ?? ''), 'Deployment', this.#tools.names.stable)
  }

  async #liveReplicas(): Promise<number | undefined> {
    const name = this.#deploymentIn(await readInstalled(this.#tools, 'stable').catch(unlessFailure))
    const args = ['get', 'deployment', name, '--output', 'jsonpath={.spec.replicas}']
    const text = await this.#tools.kubectl(...args).catch(unlessFailure)
    return text ? Number(text) : undefined
  }

  /** The revision's values with as many pods as there are now, where they are more. */
  async #withReplicas(
    chart: string,
    { values, manifest }: InstalledRevision,
    replicas: number | undefined,
  ): Promise<{ values: Values; isTakenBack: boolean }> {
    const rendered = deploymentOf(parseManifest(manifest), this.#tools.names.stable)?.spec.replicas
    if (replicas === undefined || rendered === undefined || replicas <= rendered) return { values, isTakenBack: false }
    for (const key of ['replicas', 'replicaCount']) {
      const scaled: Values = { ...values, [key]: replicas }
      const objects: readonly RenderedObject[] | undefined = await this.renderings.render(chart, [scaled]).catch(unlessFailure)
      if (objects && deploymentOf(objects, this.#tools.names.stable)?.spec.replicas === replicas)
        return { values: scaled, isTakenBack: false }
    }
    return { values, isTakenBack: true }
  }

  async #isPatched(weights: Weights): Promise<boolean> {
    const { route } = (await readClusterState(this.#tools).catch(unlessFailure)) ?? {}
    return route !== undefined && (showWeights(route.weights) !== showWeights(weights) || route.otherWriters.length > 0)
  }

  /** What values-stable.yaml must say of pods again, where a promotion has written into it what canary runs. */
  async #valuesToRestore(base: InstalledRevision): Promise<Values | undefined> {
    const canary = await readInstalled(this.#tools, 'canary').catch(unlessFailure)
    if (!canary || haveSamePods(canary, base, this.#tools.names)) return undefined
    const { values } = await this.file('stable')
    const given = withPodValues(values, await readGiven(this.#tools, canary), await this.overlays())
    return isDeepStrictEqual(given, values) ? base.values : undefined
  }

  /** What canary is; undefined where only files are edited. */
  async carried(): Promise<Carried | undefined> {
    return this.place.filesOnly ? undefined : readCarried(this.#tools)
  }

  /**
   * Which chart the weights are moved with: where canary was installed from another one than stable, stable's own, until stable is
   * given what canary runs.
   * @throws {Failure} where canary was installed from another chart than the one that is given
   */
  async withChartForWeights<T>(carried: Carried | undefined, act: (chart: string) => Promise<T>): Promise<T> {
    const { chart } = this.place
    const installed = carried && (await this.installed())
    if (!carried || !installed) return act(chart)
    const [there, stables, canarys] = await Promise.all([
      this.#tools.helm('show', 'chart', chart).then(chartNameOf),
      readChartName(this.#tools, 'stable', installed.revision),
      readChartName(this.#tools, 'canary', carried.revision.revision),
    ])
    if (canarys !== undefined && canarys !== there)
      throw new Failure(
        `${this.#tools.names.canary} was installed from chart ${canarys}, and --chart ${chart} is ${there}: give the chart that was judged, or upgrade canary with this one first`,
      )
    return stables === undefined || stables === there ? act(chart) : this.renderings.withInstalledChart(installed, act)
  }

  /**
   * The proof that what was judged is what is promoted: stable's pods, as Helm would render them, are canary's but for role and names.
   * @throws {Failure} naming the fields that differ
   */
  async proveGiven(carried: Carried): Promise<void> {
    const { after } = await this.edited(weightsOf((await this.file('stable')).values), carried.given)
    const name = this.#tools.names.stable
    const pods = deploymentOf(await this.renderings.render(this.place.chart, this.layers(after.values)), name)?.spec.template
    if (!pods) throw new Failure(`the chart makes no Deployment ${name}: there is nothing to promote to`)
    const differences = comparePods(carried.pods, pods, this.#tools.names).map((difference) => ({
      object: 'pods',
      ...difference,
    }))
    if (differences.length > 0)
      throw new Failure(
        `stable would get other pods than were judged in canary (from canary to stable, ${listDifferences(differences)}): have both releases get the same, by values or by the files that are laid over them`,
      )
    const own = (await this.installed()) as InstalledRevision
    const isSameImage = podTemplateOf(own.manifest, name)?.spec.containers.every(
      ({ name, image }) => pods.spec.containers.find((other) => other.name === name)?.image === image,
    )
    const other = isSameImage
      ? otherImage(carried.digests, await readImageDigests(this.#tools, this.#deploymentIn(own)))
      : undefined
    if (other !== undefined)
      throw new Failure(
        `one tag stands for two images (${other}), so giving stable that tag would not give it what was judged: pin it with image.digest, or use a tag that does not move`,
      )
  }

  /** Whether stable's pods are canary's, as rendered and as they run. */
  async runsCarried(carried: Carried): Promise<boolean> {
    const newest = await readInstalled(this.#tools, 'stable')
    if (newest?.status !== 'deployed' || !haveSamePods(carried.revision, newest, this.#tools.names)) return false
    return otherImage(carried.digests, await readImageDigests(this.#tools, this.#deploymentIn(newest))) === undefined
  }

  /** The change that made the newest revision, where this CLI did. */
  async lastChange(): Promise<Change | undefined> {
    const newest = await readInstalled(this.#tools, 'stable')
    return newest && parseDescription(newest.description)
  }

  /** Waits until the gateway has the weights, and stable's pods are what they should be; then this is the route. */
  async #inForce(weights: Weights): Promise<Route> {
    const until = performance.now() + this.#patienceMs
    for (;;) {
      const { route, workloads } = await readClusterState(this.#tools)
      if (!route) throw new Failure(`there is no HTTPRoute ${this.#tools.names.stable}: gateway.enabled must be true for stable`)
      if (showWeights(route.weights) !== showWeights(weights))
        throw new Failure(
          `the route says ${showWeights(route.weights)} after an upgrade to ${showWeights(weights)}: somebody else changes it`,
        )
      const problems = [...route.problems, ...(workloads.stable?.isRolledOut ? [] : ['stable still has pods of before'])]
      if (problems.length === 0) return route
      if (performance.now() > until) throw new Failure(`${showWeights(weights)} is not in force: ${problems.join('; ')}`)
      await this.#pause()
    }
  }

  /** Waits until every pod of stable is what it should be. */
  async rolledOut(): Promise<void> {
    await this.#progress.step('Wait for the pods of stable', async () => {
      const name = this.#deploymentIn(await readInstalled(this.#tools, 'stable'))
      await this.#tools.kubectl('rollout', 'status', `deployment/${name}`, `--timeout=${HELM_MS / 1000}s`)
    })
  }

  /** Sees to a release that a Helm left in the middle of its work. */
  async recover(haste: Haste): Promise<void> {
    if (this.place.filesOnly) return
    const found = await readInstalled(this.#tools, 'stable')
    if (!found?.status.startsWith('pending')) return
    await this.#progress.step(
      `${this.#tools.names.stable} is ${found.status}, left by a Helm that may still run`,
      async (say) => {
        say('waiting for it to end')
        const now = await this.#quiet(haste)
        if (!now?.status.startsWith('pending')) return now?.status ?? 'gone'
        // Helm takes "deployed" from the old revision before it gives it to the new one: one that dies in between leaves none.
        const good = (await readHistory(this.#tools, 'stable')).find(
          ({ status }) => status === 'deployed' || status === 'superseded',
        )
        if (!good)
          throw new Failure(
            `${this.#tools.names.stable} is ${now.status} and was never deployed: helm uninstall it, and install it again`,
          )
        say(`nothing moves, so it has died: helm rollback to revision ${good.revision}`)
        await this.#tools.helm('rollback', this.#tools.names.stable, `${good.revision}`)
        return `it had died, and revision ${good.revision} is back`
      },
      (result) => result,
    )
  }

  /** Waits until the release is pending no more, or nothing has moved for a while. */
  async #quiet(haste: Haste): Promise<InstalledRevision | undefined> {
    let since = haste === 'urgent' ? 0 : Date.now()
    for (;;) {
      const stable = await readInstalled(this.#tools, 'stable')
      if (!stable?.status.startsWith('pending')) return stable
      const workloads = haste === 'careful' ? (await readClusterState(this.#tools)).workloads : undefined
      // Whoever waits for pods is alive, until Helm's own patience ends.
      const mayWait = workloads?.stable?.isRolledOut === false && Date.now() - stable.at < HELM_MS
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
}

export interface SetBack {
  /** Stable is on the way back to what it ran before a promotion. */
  readonly isRestored: boolean
  /** What was left, or could not be seen, a sentence each. */
  readonly notes: readonly string[]
}

const isChangedByHand = ({ changed, otherWriters }: Route): boolean => changed.length > 0 && otherWriters.length > 0

const changedText = ({ changed, otherWriters }: Route): string =>
  `${otherWriters.join(' and ')} changed the live route by hand (${changed.join(', ')})`

/** Helm 3, and Helm 4 for a release of Helm 3, takes back only what differs between two revisions: nothing that no command here changes. */
const keptText = (route: Route): string[] =>
  isChangedByHand(route)
    ? [
        `${changedText(route)}, which a release of Helm 3 keeps: "helm upgrade --force" takes it back, with Helm 4 "helm upgrade --server-side=true --force-conflicts".`,
      ]
    : []

const asGiven = (values: Values | undefined): Given | undefined => values && { values, computed: values }

function refuseOwned(owner: ClusterState['owner']): void {
  if (owner) throw new Failure(`${owner.name} owns these objects, and would undo what is done here: ${owner.instead}`)
}

/** Whether the pods of a revision of stable are as canary's, but for role and names. */
export function haveSamePods(canary: InstalledRevision, stable: InstalledRevision, names: ReleaseNames): boolean {
  const [judged, own] = [podTemplateOf(canary.manifest, names.canary), podTemplateOf(stable.manifest, names.stable)]
  return judged !== undefined && own !== undefined && comparePods(judged, own, names).length === 0
}

/** Of what `helm show chart` prints. */
function chartNameOf(text: string): string {
  const { name, version } = parse(text) as { name: string; version: string }
  return `${name}-${version}`
}

function unlessFailure(error: unknown): undefined {
  if (!(error instanceof Failure)) throw error
}
