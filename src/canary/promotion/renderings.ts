import { join } from 'node:path'
import type { Workload } from '../cluster/clusterState.ts'
import type { HelmAndKubectl } from '../cluster/helmAndKubectl.ts'
import { parseManifest, type RenderedObject } from '../cluster/parseManifest.ts'
import { chartFiles, type InstalledRevision, readStoredChart } from '../cluster/releaseRecord.ts'
import { Failure } from '../errors.ts'
import type { Values } from '../values/values.ts'
import { weightsOf } from '../values/weights.ts'
import { withFiles } from '../values/withFiles.ts'
import { compareManifests, type Difference, deploymentOf, isIdleBackend, isSameField } from './manifest.ts'

/** A file's path, or values to be written into one. */
export type Layer = string | Values

/** What differs, and what would differ in any upgrade. */
export interface Unannounced {
  readonly differences: readonly Difference[]
  /** The chart renders these anew each time. */
  readonly changing: readonly Difference[]
}

/** What Helm renders for stable, in folders that are gone afterwards. */
export class Renderings {
  readonly #tools: HelmAndKubectl

  constructor(tools: HelmAndKubectl) {
    this.#tools = tools
  }

  /** Has `act` run with files for values, the last of which counts most. */
  async withLayers<T>(layers: readonly Layer[], act: (args: string[]) => Promise<T>): Promise<T> {
    const name = (index: number) => `${index}.yaml`
    // JSON is YAML.
    const written = layers.flatMap((layer, index) => (typeof layer === 'string' ? [] : [[name(index), JSON.stringify(layer)]]))
    return withFiles(Object.fromEntries(written), (folder) =>
      act(layers.flatMap((layer, index) => ['--values', typeof layer === 'string' ? layer : join(folder, name(index))])),
    )
  }

  /** What an upgrade of stable would install. */
  async render(chart: string, layers: readonly Layer[]): Promise<readonly RenderedObject[]> {
    return this.withLayers(layers, async (args) => {
      const text = await this.#tools.helm(
        ...['upgrade', this.#tools.names.stable, chart, ...args, '--dry-run=server', '--output', 'json'],
      )
      return parseManifest((JSON.parse(text) as { manifest: string }).manifest)
    })
  }

  /**
   * Has `act` run with the chart that a revision was installed from.
   * @throws {Failure} where Helm does not have it any more
   */
  async withInstalledChart<T>({ revision }: InstalledRevision, act: (chart: string) => Promise<T>): Promise<T> {
    return withFiles(chartFiles(await readStoredChart(this.#tools, 'stable', revision)), act)
  }

  /** What an upgrade would change beside the weights. */
  async unannounced(
    installed: InstalledRevision,
    workload: Workload | undefined,
    chart: string,
    layers: readonly Layer[],
  ): Promise<Unannounced> {
    const before = parseManifest(installed.manifest)
    const after = await this.render(chart, [...layers, { traffic: weightsOf(installed.values) }])
    const beside = compareManifests(before, after).filter((difference) => !isIdleBackend(difference))
    const found = [...beside, ...scaled(this.#tools.names.stable, before, after, workload)]
    if (found.length === 0) return { differences: [], changing: [] }
    const changing = await this.#changing(installed, before)
    const isChanging = (difference: Difference) => changing.some((other) => isSameField(other, difference))
    return { differences: found.filter((one) => !isChanging(one)), changing: found.filter(isChanging) }
  }

  /** What differs where nothing was changed, because a template draws it at random or counts revisions. */
  async #changing(installed: InstalledRevision, before: readonly RenderedObject[]): Promise<Difference[]> {
    try {
      const again = await this.withInstalledChart(installed, (chart) => this.render(chart, [installed.values]))
      return compareManifests(before, again)
    } catch (error) {
      if (error instanceof Failure) return []
      throw error
    }
  }
}

/** Replicas that somebody else has set, which Helm would take back although neither rendering differs. */
function scaled(
  release: string,
  before: readonly RenderedObject[],
  after: readonly RenderedObject[],
  workload: Workload | undefined,
): Difference[] {
  const deployment = deploymentOf(after, release)
  const wanted = deployment?.spec.replicas
  if (workload === undefined || wanted === undefined || workload.wanted === wanted) return []
  if (deploymentOf(before, release)?.spec.replicas !== wanted) return []
  return [
    {
      object: `Deployment ${deployment?.metadata.name}`,
      field: 'spec.replicas (scaled by kubectl or an autoscaler)',
      before: workload.wanted,
      after: wanted,
    },
  ]
}
