import type { HelmAndKubectl } from '../canary/cluster/helmAndKubectl.ts'
import { readClusterState } from '../canary/cluster/readClusterState.ts'
import { findTarget } from '../canary/promotion/findTarget.ts'
import type { Files } from './lessonFiles.ts'
import { type ClusterOptions, clusterPlace } from './place.ts'
import type { Runner } from './runner.ts'
import { writeFiles } from './workFolder.ts'

/** A cluster, which Helm changes. */
export class ClusterRunner implements Runner {
  readonly helm: HelmAndKubectl
  readonly #options: ClusterOptions & { url?: URL }
  readonly #signal: AbortSignal
  #place: ReturnType<typeof clusterPlace>

  constructor(options: ClusterOptions & { url?: URL }, helm: HelmAndKubectl, signal: AbortSignal) {
    this.helm = helm
    this.#options = options
    this.#signal = signal
    this.#place = clusterPlace('', options)
  }

  get place() {
    return this.#place
  }

  /** @throws {WrongUse} where nobody answers for the route */
  async start(): Promise<void> {
    // Canary first: the route gives it requests as soon as there is one.
    for (const role of ['canary', 'stable'] as const)
      await this.helm.helm(...this.#place.upgrade(role, false), '--create-namespace')
    const state = this.#options.url ? undefined : await readClusterState(this.helm)
    const { url, headers } = await findTarget(this.#options, state, this.#signal)
    this.#place = clusterPlace(url.origin, { ...this.#options, ...(headers.host !== undefined && { host: headers.host }) })
  }

  begin(files: Files): Promise<void> {
    return this.apply(files)
  }

  async apply(files: Partial<Files>, unready = false): Promise<void> {
    for (const role of writeFiles(files)) {
      const isThere = files[role] !== undefined
      await this.helm.helm(...(isThere ? this.#place.upgrade(role, unready) : this.#place.uninstall(role)))
    }
  }

  async restarted(): Promise<undefined> {}

  async end(): Promise<void> {}
}
