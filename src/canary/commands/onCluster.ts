import type { ClusterState } from '../cluster/clusterState.ts'
import { HelmAndKubectl } from '../cluster/helmAndKubectl.ts'
import { readClusterState } from '../cluster/readClusterState.ts'
import { Failure, WrongUse } from '../errors.ts'
import { type AskingOptions, type ReleasesOptions, targetOf } from '../options.ts'
import type { Terminal } from '../output/terminal.ts'
import { findTarget } from '../promotion/findTarget.ts'
import { liveExpectation } from '../promotion/liveExpectation.ts'
import type { Target } from '../sampling/versionClient.ts'
import type { Weights } from '../values/weights.ts'
import { byRole, type Expectation } from '../verdict/expectation.ts'
import type { TrafficOptions } from '../verdict/judgeTraffic.ts'

/** Whose traffic is meant, and what share of it each should have: what was given, else what the route says. */
export async function trafficOnCluster(
  options: ReleasesOptions & { chart: string },
  given: Expectation | undefined,
  terminal: Terminal,
): Promise<Pick<TrafficOptions, 'names' | 'namespace' | 'expectation'>> {
  const tools = new HelmAndKubectl(options, terminal)
  const { names } = tools
  if (given) return { names, namespace: await tools.namespace(), expectation: given }
  try {
    const expectation = byRole(liveWeights(await readClusterState(tools)))
    return { names, namespace: await tools.namespace(), expectation }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new WrongUse(`without --expect, the route says what share canary has, but ${error.message}; give one, such as 90/10`)
  }
}

/**
 * Whom to ask where nobody gave a URL, what the route says to expect, and what may hide errors.
 * @throws {WrongUse} where the cluster does not say: a target that could not be asked is never a verdict
 */
export async function onCluster(
  options: AskingOptions & ReleasesOptions & { chart: string },
  terminal: Terminal,
): Promise<{ target: Target; expectation: Expectation; mayHide: readonly string[] }> {
  try {
    const state = await readClusterState(new HelmAndKubectl(options, terminal))
    const { url, headers } = await findTarget({ ...options, asArgument: true }, state, terminal.signal)
    const weights = liveWeights(state)
    const host = headers.host === undefined ? {} : { host: headers.host }
    return {
      target: targetOf(url, { ...options, ...host }),
      expectation: liveExpectation(state, weights, options.roleFrom),
      mayHide: state.route?.mayHide ?? [],
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new WrongUse(`without a URL, the cluster says where the gateway listens, but ${error.message}; give one`)
  }
}

/** @throws {Failure} where there are none */
function liveWeights({ route }: ClusterState): Weights {
  const { weights } = route ?? { weights: { stable: 0, canary: 0 } }
  if (weights.stable + weights.canary === 0) throw new Failure('its route sends requests nowhere')
  return weights
}
