import type { IHTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute'
import { Failure } from '../errors.ts'
import type { HelmAndKubectl } from './helmAndKubectl.ts'

type Rule = NonNullable<IHTTPRoute['spec']['rules']>[number]

/** An object that a policy may be for. */
export interface Attachable {
  readonly kind: 'HTTPRoute' | 'Gateway'
  readonly name: string
  readonly namespace: string | undefined
  readonly labels: Readonly<Record<string, string>> | undefined
}

/** What of Envoy Gateway's BackendTrafficPolicy counts here. */
interface Policy {
  metadata: { name: string }
  spec: {
    targetRef?: { kind: string; name: string }
    targetRefs?: { kind: string; name: string }[]
    targetSelectors?: { kind: string; matchLabels?: Record<string, string> }[]
    retry?: object
    timeout?: { http?: { requestTimeout?: string } }
  }
}

interface Middleware {
  spec: { retry?: object; chain?: object }
}

const ENVOY_GATEWAY = 'gateway.envoyproxy.io/gatewayclass-controller'

const AGAIN = 'so an error that another try mends is not seen'
const cutOff = (after: string) => `gives up after ${after}: what is slower fails without a version, as nobody's error`

/** A duration of zero switches a timeout off. */
const timeoutOf = (duration: string | undefined) => (duration && /[1-9]/.test(duration) ? duration : undefined)

/**
 * What may hide errors of a version from whoever asks through the gateway, one line each: retries and timeouts in the split's rule, in
 * Traefik's middlewares that it names, and in Envoy Gateway's policies for the route or its Gateways.
 * @param controllers of the classes of the Gateways; undefined where one is not known
 */
export async function readMayHide(
  tools: HelmAndKubectl,
  route: Attachable,
  rule: Rule | undefined,
  gateways: readonly Attachable[],
  controllers: readonly (string | undefined)[],
): Promise<string[]> {
  const namespaces = controllers.some((controller) => controller === ENVOY_GATEWAY)
    ? [...new Set([route, ...gateways].map(({ namespace }) => namespace))]
    : []
  const read = await Promise.all([
    ...middlewaresOf(rule).map((name) => unlessUnread(`Middleware ${name}`, () => readMiddleware(tools, name))),
    ...namespaces.map((namespace) =>
      unlessUnread('policies of Envoy Gateway', () => readPolicies(tools, namespace, [route, ...gateways])),
    ),
  ])
  return [...ruleLines(rule), ...read.flat()]
}

function ruleLines(rule: Rule | undefined): string[] {
  const { retry, timeouts } = rule ?? {}
  const shortest = timeoutOf(timeouts?.backendRequest) ?? timeoutOf(timeouts?.request)
  return [
    ...(retry ? [`the route's rule tries failed requests again (retry), ${AGAIN}`] : []),
    ...(shortest ? [`the route's rule ${cutOff(shortest)}`] : []),
  ]
}

const middlewaresOf = (rule: Rule | undefined): string[] =>
  rule?.filters?.flatMap(({ extensionRef }) =>
    extensionRef?.group === 'traefik.io' && extensionRef.kind === 'Middleware' ? extensionRef.name : [],
  ) ?? []

async function readMiddleware(tools: HelmAndKubectl, name: string): Promise<string[]> {
  const text = await tools.kubectl('get', 'middlewares.traefik.io', name, '--output', 'json')
  const { retry, chain } = (JSON.parse(text) as Middleware).spec
  return [
    ...(retry ? [`Middleware ${name} tries failed requests again (retry), ${AGAIN}`] : []),
    ...(chain ? [`Middleware ${name} is a chain of others, which are not looked at: one may try requests again`] : []),
  ]
}

async function readPolicies(
  tools: HelmAndKubectl,
  namespace: string | undefined,
  targets: readonly Attachable[],
): Promise<string[]> {
  // The last --namespace counts.
  const where = namespace === undefined ? [] : ['--namespace', namespace]
  const text = await tools.kubectl('get', 'backendtrafficpolicies.gateway.envoyproxy.io', ...where, '--output', 'json')
  return (JSON.parse(text) as { items: Policy[] }).items.flatMap(({ metadata: { name }, spec }) => {
    const target = targets.find((candidate) => candidate.namespace === namespace && isFor(spec, candidate))
    if (!target) return []
    const who = `BackendTrafficPolicy ${name} on ${target.kind} ${target.name}`
    const after = timeoutOf(spec.timeout?.http?.requestTimeout)
    return [
      ...(spec.retry ? [`${who} tries failed requests again (retry), ${AGAIN}`] : []),
      ...(after ? [`${who} ${cutOff(after)}`] : []),
    ]
  })
}

function isFor(
  { targetRef, targetRefs = [], targetSelectors = [] }: Policy['spec'],
  { kind, name, labels = {} }: Attachable,
): boolean {
  const named = [...targetRefs, ...(targetRef ? [targetRef] : [])]
  return (
    named.some((ref) => ref.kind === kind && ref.name === name) ||
    targetSelectors.some(
      ({ kind: selected, matchLabels = {} }) =>
        selected === kind && Object.entries(matchLabels).every(([key, value]) => labels[key] === value),
    )
  )
}

/** What cannot be read is said, and is no reason to stop. */
async function unlessUnread(what: string, act: () => Promise<string[]>): Promise<string[]> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    if (/doesn't have a resource type/.test(error.message)) return []
    return [`whether requests are tried again by ${what} could not be seen: ${error.message}`]
  }
}
