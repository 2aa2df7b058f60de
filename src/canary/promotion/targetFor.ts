import type { ClusterState } from '../cluster/clusterState.ts'
import { Failure, WrongUse } from '../errors.ts'
import type { PlaceOptions } from '../options.ts'
import { targetOf } from '../options.ts'
import type { Target } from '../sampling/versionClient.ts'

/**
 * Whom to ask: --url, else what the Gateway says.
 * @throws {Error} with one line, when neither is known
 */
export function targetFor({ url, host }: PlaceOptions, standing: ClusterState | undefined): Target {
  const asking = { header: {}, connections: 10, timeout: 5000, rate: Number.POSITIVE_INFINITY }
  if (url) return targetOf(url, { ...asking, ...(host !== undefined && { host }) })
  if (!standing) throw new WrongUse('with --files-only there is no Gateway to ask where it listens: give --url')
  const { address } = standing
  if (typeof address === 'string') throw new Failure(`nobody knows where to ask, because ${address}: give --url, and --host`)
  const name = host ?? address.host
  return targetOf(address.url, { ...asking, ...(name !== undefined && { host: name }) })
}
