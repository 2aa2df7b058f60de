import type { IGateway } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/Gateway'
import type { IHTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute'
import type { Address } from './clusterState.ts'

export type ParentRef = NonNullable<NonNullable<IHTTPRoute['spec']>['parentRefs']>[number]
export type GatewayObject = Pick<IGateway, 'metadata' | 'spec' | 'status'>
type Listener = GatewayObject['spec']['listeners'][number]
type StatedAddress = NonNullable<NonNullable<GatewayObject['status']>['addresses']>[number]

/** As much of a route as decides which listeners take it. */
export interface RouteAt {
  readonly namespace: string | undefined
  readonly hostnames: readonly string[]
}

/** Where a Gateway can be asked for a route, the best first, or why nowhere. */
export interface Addresses {
  readonly addresses: readonly Address[]
  /** One line for each listener, or for the Gateway, that cannot be asked. */
  readonly reasons: readonly string[]
}

/**
 * Where a Gateway can be asked for what a route publishes: the listeners that accept the route, at the addresses in the Gateway's status,
 * by the host names that both answer to; plain HTTP comes before HTTPS, and what another listener is there for comes last.
 * @see https://gateway-api.sigs.k8s.io/reference/spec/ ParentReference, AllowedRoutes, Listener
 */
export function addressesOf(route: RouteAt, parent: ParentRef, { spec, status }: GatewayObject): Addresses {
  const name = `Gateway ${parent.name}`
  const stated = status?.addresses ?? []
  const addresses = stated.filter(isReachable).map(({ value }) => value)
  if (addresses.length === 0) {
    const others = stated.map(({ type, value }) => `${type} ${value}`).join(', ')
    const reason = others ? `has no address to connect to in its status, but ${others}` : 'has no address in its status'
    return { addresses: [], reasons: [`${name} ${reason}`] }
  }
  const accepting: { listener: Listener; hosts: (string | undefined)[] }[] = []
  const reasons: string[] = []
  for (const listener of spec.listeners) {
    if (parent.sectionName !== undefined && listener.name !== parent.sectionName) continue
    if (parent.port !== undefined && listener.port !== parent.port) continue
    const hosts = sharedHostnames(listener.hostname, route.hostnames)
    const conditions = status?.listeners?.find((entry) => entry.name === listener.name)?.conditions ?? []
    const isOut = conditions.find(({ type, status }) => /^(Accepted|Programmed)$/.test(type) && status === 'False')
    const why = !/^HTTPS?$/.test(listener.protocol)
      ? `listens for ${listener.protocol}, not for HTTP or HTTPS`
      : !takesKind(listener)
        ? 'takes no HTTPRoute'
        : !takesNamespace(listener, (parent.namespace ?? route.namespace) === route.namespace)
          ? 'takes no route of this namespace'
          : hosts.length === 0
            ? `answers to ${listener.hostname}, and the route to ${route.hostnames.join(', ')}`
            : isOut && `is not ${isOut.type} (${isOut.reason})`
    if (why) reasons.push(`listener ${listener.name} of ${name} ${why}`)
    else accepting.push({ listener, hosts })
  }
  if (accepting.length === 0 && reasons.length === 0) reasons.push(`${name} has no such listener`)
  const takers = accepting.map(({ listener }) => listener)
  const others = spec.listeners.filter((listener) => !takers.includes(listener))
  const places = accepting.flatMap(({ listener, hosts }) =>
    hosts.map((shared, index) => {
      const host = shared?.replace('*', 'any')
      const isTaken = host !== undefined && others.some((other) => takesFrom(other, listener, host))
      return { listener, host, index, isTaken, isSecure: listener.protocol === 'HTTPS' }
    }),
  )
  return {
    addresses: places
      .toSorted((a, b) => rank(a.isTaken, b.isTaken) || rank(a.isSecure, b.isSecure) || a.index - b.index)
      .flatMap(({ listener: { protocol, port }, host }) =>
        addresses.map((address) => ({
          url: new URL(`${protocol.toLowerCase()}://${address.includes(':') ? `[${address}]` : address}:${port}`),
          host,
        })),
      ),
    reasons,
  }
}

const rank = (a: boolean, b: boolean) => Number(a) - Number(b)

/** Whether requests for a name that a listener answers to are for another one on its port, which names it more precisely. */
function takesFrom(other: Listener, { port, hostname }: Listener, host: string): boolean {
  if (other.port !== port || !other.hostname) return false
  const isTheirs = covers(other.hostname.toLowerCase(), host) || other.hostname.toLowerCase() === host
  return isTheirs && precision(other.hostname) > precision(hostname)
}

/** A name before any wildcard, and a longer wildcard before a shorter one. */
const precision = (hostname = '') => (hostname.startsWith('*') ? hostname.length : hostname && Number.POSITIVE_INFINITY) || 0

/** Of other types, only the implementation knows the meaning. */
const isReachable = ({ type = 'IPAddress' }: StatedAddress) => type === 'IPAddress' || type === 'Hostname'

function takesKind({ allowedRoutes }: Listener): boolean {
  const kinds = allowedRoutes?.kinds ?? []
  return (
    kinds.length === 0 ||
    kinds.some(({ kind, group = 'gateway.networking.k8s.io' }) => kind === 'HTTPRoute' && group === 'gateway.networking.k8s.io')
  )
}

/** By a selector, the labels of the namespace decide, which not everybody may read: asking tells. */
function takesNamespace({ allowedRoutes }: Listener, isSame: boolean): boolean {
  const from = allowedRoutes?.namespaces?.from ?? 'Same'
  return from === 'All' || from === 'Selector' || (from === 'Same' && isSame)
}

/**
 * The names that a listener and a route both answer to, those without a wildcard first; one undefined name where any will do.
 * @see https://gateway-api.sigs.k8s.io/reference/spec/ HTTPRouteSpec, hostnames
 */
export function sharedHostnames(listener: string | undefined, route: readonly string[]): (string | undefined)[] {
  if (route.length === 0) return [listener || undefined]
  const shared = listener ? route.flatMap((hostname) => narrower(listener, hostname) ?? []) : [...route]
  return shared.toSorted((a, b) => Number(a.startsWith('*')) - Number(b.startsWith('*')))
}

/** The name that both cover: itself, or the one that the other's wildcard covers. */
function narrower(a: string, b: string): string | undefined {
  const [one, other] = [a.toLowerCase(), b.toLowerCase()]
  if (one === other || covers(one, other)) return other
  return covers(other, one) ? one : undefined
}

const covers = (wildcard: string, name: string) =>
  wildcard.startsWith('*.') && name.endsWith(wildcard.slice(1)) && name !== wildcard.slice(1)
