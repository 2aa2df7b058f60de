import type { ClusterState } from '../cluster/clusterState.ts'
import { Failure, WrongUse } from '../errors.ts'
import type { Target } from '../sampling/versionClient.ts'

/** Where the gateway listens; by default where its status says. */
export interface WhereToAsk {
  readonly url?: URL
  /** The Host header. */
  readonly host?: string
}

/**
 * Whom to ask: the URL that is given, else what the Gateway says.
 * @throws {Error} with one line, when neither is known
 */
export function targetFor({ url, host }: WhereToAsk, state: ClusterState | undefined): Target {
  const target = (url: URL, host: string | undefined): Target => ({
    url,
    headers: host === undefined ? {} : { host },
    connections: 10,
    timeoutMs: 5000,
  })
  if (url) return target(url, host)
  if (!state) throw new WrongUse('with --files-only there is no Gateway to ask where it listens: give --url')
  const { address } = state
  if (typeof address === 'string') throw new Failure(`nobody knows where to ask, because ${address}: give --url, and --host`)
  return target(address.url, host ?? address.host)
}
