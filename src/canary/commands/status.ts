import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import type { ClusterState } from '../cluster/clusterState.ts'
import { HelmAndKubectl } from '../cluster/helmAndKubectl.ts'
import { readClusterState } from '../cluster/readClusterState.ts'
import { readRestarts } from '../cluster/readRestarts.ts'
import { Failure, WrongUse } from '../errors.ts'
import { addLimits, addPlace, type LimitOptions, limitsOf, type PlaceOptions } from '../options.ts'
import { columnsOf, painter, type Terminal } from '../output/terminal.ts'
import { findTarget } from '../promotion/findTarget.ts'
import { liveExpectation } from '../promotion/liveExpectation.ts'
import { disagreements, type Facts } from '../status/disagreements.ts'
import { statusOutput } from '../status/statusOutput.ts'
import { statusText } from '../status/statusText.ts'
import { chartAnnotations } from '../values/chartAnnotations.ts'
import { readOverlays } from '../values/readOverlays.ts'
import type { Values } from '../values/values.ts'
import { ValuesReader, valuesPath } from '../values/valuesReader.ts'
import { type Report, sampleAndJudge } from '../verdict/sampleAndJudge.ts'

interface Options extends PlaceOptions, LimitOptions {}

/** `status`: where things stand, and whether all of it agrees. */
export function statusCommand(program: Command, terminal: Terminal): void {
  addLimits(
    addPlace(
      program
        .command('status')
        .description(
          'Show what is declared, installed, live and observed, and each disagreement with what to do. Exit code 0 when all agrees, else 1.',
        ),
    ),
  ).action((options: Options) => run(options, terminal))
}

async function run(options: Options, terminal: Terminal): Promise<void> {
  const { stdout, signal, exitWith } = terminal
  const { chart, values, json } = options
  const tools = new HelmAndKubectl(options, terminal)
  const reader = new ValuesReader(tools)
  const overlays = await readOverlays(reader, values)
  const [stable, canary, cluster, ...restarts] = await Promise.all([
    declaredOf(reader, valuesPath(chart, 'stable')),
    declaredOf(reader, valuesPath(chart, 'canary')),
    orWhy(() => readClusterState(tools)),
    orWhy(() => readRestarts(tools, tools.names.stable)),
    orWhy(() => readRestarts(tools, tools.names.canary)),
  ])
  const declared = { stable, canary }
  const observed = await orWhy(() => observe(options, cluster, signal))
  const facts: Facts = { declared, overlays, cluster, observed }
  const [stableRestarts, canaryRestarts] = restarts
  const status = {
    declared,
    annotations: await chartAnnotations(chart),
    path: options.path,
    cluster,
    restarts: { stable: stableRestarts, canary: canaryRestarts },
    observed,
    disagreements: disagreements(facts),
  }
  stdout.write(json ? `${JSON.stringify(statusOutput(status))}\n` : statusText(status, columnsOf(stdout), painter(stdout)))
  exitWith(status.disagreements.length === 0 ? 0 : 1)
}

/** A file that is not there is shown as that; one that says what cannot be is refused. */
async function declaredOf(reader: ValuesReader, path: string): Promise<Values | string> {
  try {
    return (await reader.file(path)).values
  } catch (error) {
    if (error instanceof WrongUse && !existsSync(path)) return error.message
    throw error
  }
}

/** What is missing is shown, not fatal. */
async function orWhy<T>(act: () => Promise<T>): Promise<T | string> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof Failure || error instanceof WrongUse) return error.message
    throw error
  }
}

/** A sample beside the weights in the route, which is what a gateway follows. */
async function observe(options: Options, cluster: ClusterState | string, signal: AbortSignal): Promise<Report | string> {
  if (typeof cluster === 'string') return 'nobody was asked, because nobody knows what to expect'
  const { route } = cluster
  if (!route) return 'nobody was asked, because there is no route'
  if (route.weights.stable + route.weights.canary === 0) return 'nobody was asked, because the route sends requests nowhere'
  const target = await findTarget(options, cluster, signal)
  return sampleAndJudge({
    target,
    expectation: liveExpectation(cluster, route.weights, options.roleFrom),
    orAnybody: true,
    limits: limitsOf(options),
    rate: Number.POSITIVE_INFINITY,
    mayHide: route.mayHide,
    signal,
  })
}
