import { isDeepStrictEqual } from 'node:util'
import type { IHTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute'
import { Failure, ProgramRefusal, Unreachable } from '../errors.ts'
import type { ReleaseNames, Role } from '../roles.ts'
import type { Weights } from '../values/weights.ts'
import { type Addresses, addressesOf, type GatewayObject, type ParentRef } from './addressesOf.ts'
import type { ClusterState, Revision, Route, Workload } from './clusterState.ts'
import type { HelmAndKubectl } from './helmAndKubectl.ts'
import { type Metadata, type Owner, otherWritersOf, ownerOf } from './owner.ts'
import { nameIn, parseManifest, type RenderedObject } from './parseManifest.ts'
import { type Attachable, readMayHide } from './readMayHide.ts'
import { type InstalledRevision, readComputedValues, readInstalled } from './releaseRecord.ts'

const GATEWAY_API = 'gateway.networking.k8s.io'

export type RouteObject = Pick<IHTTPRoute, 'kind' | 'spec' | 'status'> & { metadata: Metadata }
type RouteStatus = NonNullable<IHTTPRoute['status']>['parents'][number]

interface GatewayClassObject {
  spec: { controllerName: string }
}

export interface DeploymentObject {
  kind: 'Deployment'
  metadata: Metadata
  spec: { replicas?: number; template: { spec: { containers: { image: string; env?: { name: string; value?: string }[] }[] } } }
  status?: { observedGeneration?: number; replicas?: number; updatedReplicas?: number; readyReplicas?: number }
}

type NamespacedObject = RouteObject | DeploymentObject | { kind: 'Service'; metadata: Metadata }

/**
 * Reads where things stand in the cluster.
 * @throws {Failure} with one line that names all that cannot be read
 */
export async function readClusterState(tools: HelmAndKubectl): Promise<ClusterState> {
  const [stable, canary, workloads, routes] = await allRead([
    readInstalled(tools, 'stable'),
    readInstalled(tools, 'canary'),
    list(tools, 'deployments,services'),
    list(tools, 'httproutes.gateway.networking.k8s.io').catch(unlessNoSuchKind),
  ])
  const objects = [...workloads, ...routes]
  const { names } = tools
  const rendered = { stable: parseManifest(stable?.manifest ?? ''), canary: parseManifest(canary?.manifest ?? '') }
  const find = <K extends NamespacedObject['kind']>(kind: K, name: string) =>
    objects.find((object) => object.kind === kind && object.metadata.name === name) as
      | Extract<NamespacedObject, { kind: K }>
      | undefined
  const findOf = <K extends NamespacedObject['kind']>(kind: K, role: Role) =>
    find(kind, nameIn(rendered[role], kind, names[role]))
  const route = findOf('HTTPRoute', 'stable')
  const isStables = isStablesService(rendered.stable, names)
  const serviceNames = serviceNamesIn(route, isStables, {
    stable: nameIn(rendered.stable, 'Service', names.stable),
    canary: nameIn(rendered.canary, 'Service', names.canary),
  })
  const gateways = await Promise.all((route?.spec.parentRefs ?? []).map((parent) => readGateway(tools, parent)))
  const controllers = await Promise.all(gateways.map((gateway) => readController(tools, gateway)))
  const known = route ? gateways.map((gateway) => understandGateway(route, gateway)) : []
  const deployments = { stable: findOf('Deployment', 'stable'), canary: findOf('Deployment', 'canary') }
  const services = { stable: find('Service', serviceNames.stable), canary: find('Service', serviceNames.canary) }
  const ours = [...Object.values(deployments), ...Object.values(services), route].filter((object) => object !== undefined)
  const owner = ours.map(({ metadata }) => ownerOf(metadata)).find((found) => found !== undefined)
  const releases = await allRead([shown(tools, 'stable', stable, owner), shown(tools, 'canary', canary, owner)])
  return {
    names,
    releases: { stable: releases[0], canary: releases[1] },
    workloads: { stable: workload(deployments.stable), canary: workload(deployments.canary) },
    services: { stable: services.stable !== undefined, canary: services.canary !== undefined },
    serviceNames,
    route: route && {
      ...understandRoute(route, isStables, controllers),
      changed: stable && !stable.status.startsWith('pending') ? changedFields(rendered.stable, route) : [],
      mayHide: await readMayHide(
        tools,
        { kind: 'HTTPRoute', name: route.metadata.name, namespace: route.metadata.namespace, labels: route.metadata.labels },
        route.spec.rules?.[0],
        gateways.flatMap((parent) => attachable(parent, route.metadata.namespace)),
        controllers,
      ),
    },
    addresses: known.flatMap(({ addresses }) => addresses),
    notAddresses: known.flatMap(({ reasons }) => reasons),
    owner,
  }
}

async function allRead<T extends unknown[]>(reading: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  const settled = await Promise.allSettled<unknown>(reading)
  const reasons = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  const failures = reasons.map((reason) => {
    if (reason instanceof Failure) return reason
    throw reason
  })
  const away = failures.find((failure) => failure instanceof Unreachable)
  if (away) throw away
  // Both releases are kept in one place.
  const why = failures.map((failure) => (failure instanceof ProgramRefusal ? failure.complaint : failure.message))
  const each = failures.filter((_, index) => why.indexOf(why[index] ?? '') === index)
  if (each.length > 0) throw new Failure(each.map(({ message }) => message).join('; '))
  return settled.map((result) => (result as PromiseFulfilledResult<unknown>).value) as T
}

async function list(tools: HelmAndKubectl, kinds: string): Promise<NamespacedObject[]> {
  return JSON.parse(await tools.kubectl('get', kinds, '--output', 'json', '--show-managed-fields')).items
}

/** What of a revision is worth showing. */
async function shown(
  tools: HelmAndKubectl,
  role: Role,
  installed: InstalledRevision | undefined,
  owner: Owner | undefined,
): Promise<Revision | undefined> {
  if (!installed) return undefined
  const { revision, status, at, values } = installed
  // Flux packs the values files into the chart as its own values, and gives the release none.
  const isPacked = owner !== undefined && Object.keys(values).length === 0
  return { revision, status, at, values: isPacked ? await readComputedValues(tools, role, revision) : values }
}

/** Tells which Services of a route are stable's: those that its release makes. */
export type IsStables = (service: string) => boolean

/** @param objects of stable's manifest; where there is no Service among them, its Service is called as the release */
export function isStablesService(objects: readonly RenderedObject[], names: ReleaseNames): IsStables {
  const own = objects.flatMap(({ kind, metadata }) => (kind === 'Service' ? metadata.name : []))
  return (service) => (own.length > 0 ? own.includes(service) : service === names.stable)
}

/** What the route calls each role's Service; where it leaves one out, the name by which its release makes it. */
function serviceNamesIn(route: RouteObject | undefined, isStables: IsStables, made: ReleaseNames): Record<Role, string> {
  const inRoute = route?.spec.rules?.flatMap(({ backendRefs = [] }) => backendRefs.map(({ name }) => name)) ?? []
  return {
    stable: inRoute.find((name) => isStables(name)) ?? made.stable,
    canary: inRoute.find((name) => !isStables(name)) ?? made.canary,
  }
}

function unlessNoSuchKind(error: Error): [] {
  if (/doesn't have a resource type/.test(error.message)) return []
  throw error
}

/** What its pods are told to say; undefined where they are told nothing. */
export const versionOf = ({ spec }: Pick<DeploymentObject, 'spec'>): string | undefined =>
  spec.template.spec.containers[0]?.env?.find(({ name }) => name === 'DEVOPSAPI_VERSION')?.value

function workload(deployment: DeploymentObject | undefined): Workload | undefined {
  if (!deployment) return undefined
  const { metadata, spec, status = {} } = deployment
  const [container] = spec.template.spec.containers
  const wanted = spec.replicas ?? 1
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, readyReplicas = 0 } = status
  return {
    name: metadata.name,
    image: container?.image ?? '',
    version: versionOf(deployment),
    wanted,
    ready: readyReplicas,
    isRolledOut:
      observedGeneration >= (metadata.generation ?? 0) &&
      updatedReplicas === wanted &&
      readyReplicas === wanted &&
      replicas === wanted,
  }
}

/** The weights of a route; a backend that is not in it has 0. */
export function weightsIn({ rules }: RouteObject['spec'], isStables: IsStables): Weights {
  const sum = { stable: 0, canary: 0 }
  for (const { name, weight = 1 } of rules?.[0]?.backendRefs ?? []) sum[isStables(name) ? 'stable' : 'canary'] += weight
  return sum
}

/**
 * What a route says and what its gateways say about it.
 * @param controllers those of its parents' classes, as far as they are known: what others say about it does not count
 */
export function understandRoute(
  { metadata, spec, status }: RouteObject,
  isStables: IsStables,
  controllers: readonly (string | undefined)[] = [],
): Pick<Route, 'weights' | 'problems' | 'otherWriters'> {
  const { parentRefs = [] } = spec
  const problems = parentRefs.flatMap((parent, index) => {
    const controller = controllers[index]
    const statuses =
      status?.parents?.filter(
        ({ parentRef, controllerName }) =>
          isSame(parentRef, parent, metadata) && (controller === undefined || controllerName === controller),
      ) ?? []
    if (statuses.length === 0) return [`no controller has taken it for Gateway ${parent.name}`]
    return statuses.flatMap(({ conditions = [] }) => conditionProblems(conditions, parent.name, metadata.generation ?? 0))
  })
  return {
    weights: weightsIn(spec, isStables),
    problems: parentRefs.length > 0 ? problems : ['it names no Gateway'],
    otherWriters: otherWritersOf(metadata),
  }
}

/** Fields of a release's route that are not live as it has them. A list belongs as a whole to whoever has written it. */
function changedFields(rendered: readonly RenderedObject[], { metadata, spec }: RouteObject): string[] {
  const own = rendered.find(({ kind, metadata: { name } }) => kind === 'HTTPRoute' && name === metadata.name)
  const live: Readonly<Record<string, unknown>> = { ...spec }
  return Object.entries((own?.spec as object | undefined) ?? {}).flatMap(([field, value]) =>
    isDeepStrictEqual(value, live[field]) ? [] : field,
  )
}

function attachable({ parentRef, gateway }: Parent, namespace: string | undefined): Attachable[] {
  if (typeof gateway === 'string') return []
  return [
    { kind: 'Gateway', name: parentRef.name, namespace: parentRef.namespace ?? namespace, labels: gateway.metadata?.labels },
  ]
}

const isSame = (a: ParentRef, b: ParentRef, { namespace }: { namespace?: string }) =>
  a.name === b.name &&
  (a.group ?? GATEWAY_API) === (b.group ?? GATEWAY_API) &&
  (a.kind ?? 'Gateway') === (b.kind ?? 'Gateway') &&
  (a.namespace ?? namespace) === (b.namespace ?? namespace) &&
  a.sectionName === b.sectionName &&
  a.port === b.port

function conditionProblems(conditions: NonNullable<RouteStatus['conditions']>, gateway: string, generation: number): string[] {
  return ['Accepted', 'ResolvedRefs'].flatMap((type) => {
    const condition = conditions.find((entry) => entry.type === type)
    if (!condition) return [`Gateway ${gateway} does not say whether it is ${type}`]
    const { status, reason, message, observedGeneration = 0 } = condition
    if (observedGeneration < generation)
      return [
        `Gateway ${gateway} has not followed yet (${type} is of generation ${observedGeneration}, the route of ${generation})`,
      ]
    return status === 'True'
      ? []
      : [`${type} is ${status} on Gateway ${gateway}: ${reason}${message ? `, ${message.split('\n')[0]}` : ''}`]
  })
}

/** A parent of the route, and the Gateway that it is, or why it is not known. */
interface Parent {
  readonly parentRef: ParentRef
  readonly gateway: GatewayObject | string
}

async function readGateway(tools: HelmAndKubectl, parentRef: ParentRef): Promise<Parent> {
  const { name, namespace, group = GATEWAY_API, kind = 'Gateway' } = parentRef
  if (kind !== 'Gateway' || group !== GATEWAY_API) {
    const what = [kind, ...(group === GATEWAY_API || group === '' ? [] : [group])].join('.')
    return { parentRef, gateway: `the route belongs to ${what} ${name}, which is no Gateway of the Gateway API` }
  }
  // The last --namespace counts.
  const where = namespace ? ['--namespace', namespace] : []
  const gateway = await orWhy<GatewayObject>(tools, 'gateways.gateway.networking.k8s.io', name, ...where)
  return { parentRef, gateway }
}

/** The controller of a Gateway's class; undefined where it is not known, because classes may not be read by everybody. */
async function readController(tools: HelmAndKubectl, { gateway }: Parent): Promise<string | undefined> {
  if (typeof gateway === 'string') return undefined
  const gatewayClass = await orWhy<GatewayClassObject>(
    tools,
    'gatewayclasses.gateway.networking.k8s.io',
    gateway.spec.gatewayClassName,
  )
  return typeof gatewayClass === 'string' ? undefined : gatewayClass.spec.controllerName
}

async function orWhy<T>(tools: HelmAndKubectl, ...what: string[]): Promise<T | string> {
  try {
    return JSON.parse(await tools.kubectl('get', ...what, '--output', 'json'))
  } catch (error) {
    if (error instanceof Failure) return error.message
    throw error
  }
}

function understandGateway({ metadata, spec }: RouteObject, { parentRef, gateway }: Parent): Addresses {
  if (typeof gateway === 'string') return { addresses: [], reasons: [gateway] }
  return addressesOf({ namespace: metadata.namespace, hostnames: spec.hostnames ?? [] }, parentRef, gateway)
}
