import { HelmAndKubectl } from '../cluster/helmAndKubectl.ts'
import { readClusterState } from '../cluster/readClusterState.ts'
import { Interrupted } from '../errors.ts'
import type { Progress } from '../output/progress.ts'
import type { Io } from '../output/terminal.ts'
import { ValuesReader, valuesPath } from '../values/valuesReader.ts'
import { showWeights, weightsOf } from '../values/weights.ts'
import { Replies, type RepliesSettings } from './replies.ts'
import { type Place, StableRelease } from './stableRelease.ts'

export interface SessionSettings extends Place, RepliesSettings {}

/** One run of a command that moves traffic: the release it changes, the replies it asks for, and how it ends early. */
export class Session {
  readonly progress: Progress
  readonly release: StableRelease
  readonly replies: Replies
  /** In milliseconds: how long the route and the replies may take to follow. */
  readonly patience: number
  readonly #place: Place
  readonly #runProgram: Io['runProgram']

  constructor(settings: SessionSettings, progress: Progress, { signal, runProgram }: Io) {
    this.progress = progress
    const tools = new HelmAndKubectl(settings, { signal, runProgram })
    const reader = new ValuesReader(tools)
    this.release = new StableRelease(settings, settings.patience, tools, reader, progress, signal)
    this.replies = new Replies(settings, tools, reader, progress, signal)
    this.patience = settings.patience
    this.#place = settings
    this.#runProgram = runProgram
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
    // What is interrupted runs no program any more.
    const tools = new HelmAndKubectl(this.#place, { signal: AbortSignal.timeout(10_000), runProgram: this.#runProgram })
    const declared = `values-stable.yaml says ${await declaredWeights(tools, this.#place.chart)}`
    if (this.#place.filesOnly) return `${declared}; ${next}`
    try {
      const { route, releases, names } = await readClusterState(tools)
      const live = route ? showWeights(route.weights) : 'is not there'
      return `${declared}, the route ${live}, and ${names.stable} is ${releases.stable?.status ?? 'not installed'}; ${next}`
    } catch {
      return `${declared}, and the cluster does not answer; ${next}`
    }
  }
}

async function declaredWeights(tools: HelmAndKubectl, chart: string): Promise<string> {
  try {
    return showWeights(weightsOf((await new ValuesReader(tools).file(valuesPath(chart, 'stable'))).values))
  } catch {
    return 'what cannot be read'
  }
}
