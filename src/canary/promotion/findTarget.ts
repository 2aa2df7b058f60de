import type { ClusterState } from '../cluster/clusterState.ts'
import { Interrupted, WrongUse } from '../errors.ts'
import { devopsApi } from '../sampling/devopsApi.ts'
import { Sample } from '../sampling/sample.ts'
import { takeSample } from '../sampling/takeSample.ts'
import { type Target, VersionClient } from '../sampling/versionClient.ts'
import { withPath } from '../sampling/withPath.ts'
import { explained, isAnswered, whyNotAsked } from '../verdict/notAsked.ts'

/** Where the gateway listens; by default where its status says. */
export interface WhereToAsk extends Pick<Target, 'versionFrom' | 'roleFrom'> {
  readonly url?: URL
  /** Of a URL that names none, by default /version. */
  readonly path?: string
  /** The Host header. */
  readonly host?: string
  /** Headers to send besides. */
  readonly header?: Readonly<Record<string, string>>
  /** In milliseconds: when a request has failed. */
  readonly timeout?: number
  /** The URL is an argument of the command, and no option. */
  readonly asArgument?: boolean
}

/** So many that beside a canary that fails nearly always, one reply of stable shows that the place is right. */
const ATTEMPTS = 20

/** Where nobody listens; a connection that is reset may have been so for the name that TLS was told. */
const NO_ANSWER = /^(timeout|connection refused|unknown host)$/

/**
 * Whom to ask: the URL that is given, else the first place at which the Gateway listens for the route and the service answers, else the
 * first at which a gateway answers for one of its Services.
 * @throws {WrongUse} with one line, when no place is known, or nobody answers: a wrong address must never be taken for a bad canary
 */
export async function findTarget(
  { url, path = devopsApi.path, host, header = {}, timeout = 5000, asArgument = false, versionFrom, roleFrom }: WhereToAsk,
  state: ClusterState | undefined,
  signal: AbortSignal,
): Promise<Target> {
  if (!url && !state) throw new WrongUse('with --files-only there is no Gateway to ask where it listens: give --url')
  const places = url ? [{ url, host }] : (state?.addresses ?? []).map((address) => ({ ...address, host: host ?? address.host }))
  const reasons = url ? [] : [...(state?.notAddresses ?? [])]
  let gateways: Target | undefined
  const tried = new Set<string>()
  for (const place of places) {
    const asked = `${place.url.origin} ${place.host}`
    if (tried.has(place.url.origin) || tried.has(asked)) continue
    tried.add(asked)
    const target: Target = {
      url: withPath(place.url, path),
      headers: { ...header, ...(place.host !== undefined && { host: place.host }) },
      connections: 10,
      timeoutMs: timeout,
      ...(versionFrom && { versionFrom }),
      ...(roleFrom && { roleFrom }),
    }
    const sample = await firstReplies(target, signal)
    if (isAnswered(sample)) return target
    if (whyNotAsked(sample) === undefined) gateways ??= target
    const failures = [...sample.errors.keys()]
    // Another name will not do, either.
    if (failures.every((failure) => NO_ANSWER.test(failure))) tried.add(place.url.origin)
    const as = place.host === undefined ? '' : `, as ${place.host}`
    const instead = failures.map(explained).join(', ')
    reasons.push(`at ${place.url.origin}${as}, nobody answers for the route: ${instead}`)
  }
  if (gateways) return gateways
  if (reasons.length === 0) reasons.push(`there is no HTTPRoute ${state?.names.stable} that names a Gateway`)
  throw new WrongUse(
    `nobody knows where to ask, because ${reasons.join('; ')}: give ${url ? 'another --url, or' : asArgument ? 'a URL, and' : '--url, and'} --host`,
  )
}

/** All at once, as some may never be answered, and no more after the first by the service. */
export async function firstReplies(target: Target, signal: AbortSignal): Promise<Sample> {
  const client = new VersionClient({ ...target, connections: ATTEMPTS })
  const sample = new Sample()
  const pace = { requests: ATTEMPTS, rate: Number.POSITIVE_INFINITY }
  try {
    await takeSample(client, pace, sample, isAnswered, signal)
    if (signal.aborted) throw new Interrupted()
    return sample
  } finally {
    await client.close()
  }
}
