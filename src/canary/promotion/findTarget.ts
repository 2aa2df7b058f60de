import type { ClusterState } from '../cluster/clusterState.ts'
import { Failure, Interrupted, WrongUse } from '../errors.ts'
import { releaseName } from '../roles.ts'
import { type Target, VersionClient } from '../sampling/versionClient.ts'
import { isFromTheRoute } from '../verdict/notAsked.ts'

/** Where the gateway listens; by default where its status says. */
export interface WhereToAsk {
  readonly url?: URL
  /** The Host header. */
  readonly host?: string
  /** Headers to send besides. */
  readonly header?: Readonly<Record<string, string>>
  /** In milliseconds: when a request has failed. */
  readonly timeout?: number
}

/** As many that find nobody are enough: of a canary that fails nearly always, one reply of stable shows that the place is right. */
const ATTEMPTS = 20

/**
 * Whom to ask: the URL that is given, else the first place at which the Gateway listens for the route and somebody answers for it.
 * @throws {Failure} with one line, when neither is known, or nobody answers: a wrong address must never be taken for a bad canary
 */
export async function findTarget(
  { url, host, header = {}, timeout = 5000 }: WhereToAsk,
  state: ClusterState | undefined,
  signal: AbortSignal,
): Promise<Target> {
  if (!url && !state) throw new WrongUse('with --files-only there is no Gateway to ask where it listens: give --url')
  const places = url ? [{ url, host }] : (state?.addresses ?? []).map((address) => ({ ...address, host: host ?? address.host }))
  const reasons = url ? [] : [...(state?.notAddresses ?? [])]
  for (const place of places) {
    const target: Target = {
      url: place.url,
      headers: { ...header, ...(place.host !== undefined && { host: place.host }) },
      connections: 10,
      timeoutMs: timeout,
    }
    const silence = await whySilent(target, signal)
    if (silence === undefined) return target
    reasons.push(
      `at ${place.url.origin}${place.host === undefined ? '' : `, as ${place.host}`}, nobody answers for the route: ${silence}`,
    )
  }
  if (reasons.length === 0) reasons.push(`there is no HTTPRoute ${releaseName('stable')} that names a Gateway`)
  throw new Failure(
    `nobody knows where to ask, because ${reasons.join('; ')}: give ${url ? 'another --url, or' : '--url, and'} --host`,
  )
}

/** Nothing where the route's Services answer, or the gateway for them; else what came instead. */
async function whySilent(target: Target, signal: AbortSignal): Promise<string | undefined> {
  const client = new VersionClient(target)
  try {
    let instead = ''
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const outcome = await client.ask()
      if (signal.aborted) throw new Interrupted()
      if (isFromTheRoute(outcome)) return undefined
      instead = outcome.error ?? ''
      // Where nobody listens, or not for this name, nobody will a moment later.
      if (outcome.microseconds === undefined) break
    }
    return instead
  } finally {
    await client.close()
  }
}
