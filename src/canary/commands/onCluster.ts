import { HelmAndKubectl } from '../cluster/helmAndKubectl.ts'
import { readClusterState } from '../cluster/readClusterState.ts'
import { Failure, WrongUse } from '../errors.ts'
import { type AskingOptions, type ReleasesOptions, targetOf } from '../options.ts'
import type { Terminal } from '../output/terminal.ts'
import { findTarget } from '../promotion/findTarget.ts'
import { liveExpectation } from '../promotion/liveExpectation.ts'
import type { Target } from '../sampling/versionClient.ts'
import type { Expectation } from '../verdict/expectation.ts'

/**
 * Whom to ask where nobody gave a URL, and what the route says to expect.
 * @throws {WrongUse} where the cluster does not say: a target that could not be asked is never a verdict
 */
export async function onCluster(
  options: AskingOptions & ReleasesOptions & { chart: string },
  terminal: Terminal,
): Promise<{ target: Target; expectation: Expectation }> {
  try {
    const state = await readClusterState(new HelmAndKubectl(options, terminal))
    const { url, headers } = await findTarget({ ...options, asArgument: true }, state, terminal.signal)
    const { weights } = state.route ?? { weights: { stable: 0, canary: 0 } }
    if (weights.stable + weights.canary === 0) throw new Failure('its route sends requests nowhere')
    const host = headers.host === undefined ? {} : { host: headers.host }
    return { target: targetOf(url, { ...options, ...host }), expectation: liveExpectation(state, weights, options.roleFrom) }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new WrongUse(`without a URL, the cluster says where the gateway listens, but ${error.message}; give one`)
  }
}
