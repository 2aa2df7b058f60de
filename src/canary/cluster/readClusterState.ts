import type { IHTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute'
import { Failure } from '../errors.ts'
import { type Role, releaseName, roles } from '../roles.ts'
import type { Values } from '../values/values.ts'
import type { Address, ClusterState, Revision, Route, Workload } from './clusterState.ts'
import type { HelmAndKubectl } from './helmAndKubectl.ts'
import { type Metadata, otherWritersOf, ownerOf } from './owner.ts'

type RouteObject = Pick<IHTTPRoute, 'kind' | 'spec' | 'status'> & { metadata: Metadata }
type RouteStatus = NonNullable<IHTTPRoute['status']>['parents'][number]
type ParentRef = RouteStatus['parentRef']

interface DeploymentObject {
  kind: 'Deployment'
  metadata: Metadata
  spec: { replicas?: number; template: { spec: { containers: { image: string; env?: { name: string; value?: string }[] }[] } } }
  status?: { observedGeneration?: number; replicas?: number; updatedReplicas?: number; readyReplicas?: number }
}

interface GatewayObject {
  spec: { listeners: { name: string; port: number; protocol: string }[] }
  status?: { addresses?: { value: string }[] }
}

type NamespacedObject = RouteObject | DeploymentObject | { kind: 'Service'; metadata: Metadata }

/** Reads where things stand in the cluster. */
export async function readClusterState(tools: HelmAndKubectl): Promise<ClusterState> {
  const [stable, canary, workloads, routes] = await Promise.all([
    readRelease(tools, 'stable'),
    readRelease(tools, 'canary'),
    list(tools, 'deployments,services'),
    list(tools, 'httproutes.gateway.networking.k8s.io').catch(unlessNoSuchKind),
  ])
  const objects = [...workloads, ...routes]
  const find = <K extends NamespacedObject['kind']>(kind: K, role: Role) =>
    objects.find((object) => object.kind === kind && object.metadata.name === releaseName(role)) as
      | Extract<NamespacedObject, { kind: K }>
      | undefined
  const route = find('HTTPRoute', 'stable')
  const ours = objects.filter(({ metadata }) => roles.some((role) => metadata.name === releaseName(role)))
  return {
    releases: { stable, canary },
    workloads: { stable: workload(find('Deployment', 'stable')), canary: workload(find('Deployment', 'canary')) },
    services: { stable: find('Service', 'stable') !== undefined, canary: find('Service', 'canary') !== undefined },
    route: route && understandRoute(route),
    address: await readAddress(tools, route),
    owner: ours.map(({ metadata }) => ownerOf(metadata)).find((owner) => owner !== undefined),
  }
}

async function list(tools: HelmAndKubectl, kinds: string): Promise<NamespacedObject[]> {
  return JSON.parse(await tools.kubectl('get', kinds, '--output', 'json', '--show-managed-fields')).items
}

function unlessNoSuchKind(error: Error): [] {
  if (/doesn't have a resource type/.test(error.message)) return []
  throw error
}

interface Status {
  version: number
  config?: Values | null
  info: { status: string; last_deployed: string }
}

/** The newest revision of a release, or an older one; undefined where it is not installed. */
export async function readRelease(tools: HelmAndKubectl, role: Role, revision?: number): Promise<Revision | undefined> {
  const which = revision === undefined ? [] : ['--revision', `${revision}`]
  try {
    const text = await tools.helm('status', releaseName(role), ...which, '--output', 'json')
    const { version, config, info } = JSON.parse(text) as Status
    return { revision: version, status: info.status, at: Date.parse(info.last_deployed), values: config ?? {} }
  } catch (error) {
    if (error instanceof Failure && /release: not found/.test(error.message)) return undefined
    throw error
  }
}

function workload(deployment: DeploymentObject | undefined): Workload | undefined {
  if (!deployment) return undefined
  const { metadata, spec, status = {} } = deployment
  const [container] = spec.template.spec.containers
  const wanted = spec.replicas ?? 1
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, readyReplicas = 0 } = status
  return {
    image: container?.image ?? '',
    version: container?.env?.find(({ name }) => name === 'DEVOPSAPI_VERSION')?.value ?? '',
    wanted,
    ready: readyReplicas,
    isRolledOut:
      observedGeneration >= (metadata.generation ?? 0) &&
      updatedReplicas === wanted &&
      readyReplicas === wanted &&
      replicas === wanted,
  }
}

/** What a route says and what its gateways say about it. */
export function understandRoute({ metadata, spec, status }: RouteObject): Route {
  const rule = spec.rules?.[0]
  const weight = (role: Role) => {
    const backend = rule?.backendRefs?.find(({ name }) => name === releaseName(role))
    return backend ? (backend.weight ?? 1) : 0
  }
  const { parentRefs = [] } = spec
  const problems = parentRefs.flatMap((parent) => {
    const statuses = status?.parents?.filter(({ parentRef }) => isSame(parentRef, parent, metadata)) ?? []
    if (statuses.length === 0) return [`no controller has taken it for Gateway ${parent.name}`]
    return statuses.flatMap(({ conditions = [] }) => conditionProblems(conditions, parent.name, metadata.generation ?? 0))
  })
  return {
    weights: { stable: weight('stable'), canary: weight('canary') },
    problems: parentRefs.length > 0 ? problems : ['it names no Gateway'],
    otherWriters: otherWritersOf(metadata),
  }
}

const isSame = (a: ParentRef, b: ParentRef, { namespace }: { namespace?: string }) =>
  a.name === b.name && (a.namespace ?? namespace) === (b.namespace ?? namespace) && a.sectionName === b.sectionName

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

async function readAddress(tools: HelmAndKubectl, route: RouteObject | undefined): Promise<Address | string> {
  const [parent] = route?.spec.parentRefs ?? []
  if (!route || !parent) return `there is no HTTPRoute ${releaseName('stable')} that names a Gateway`
  let gateway: GatewayObject
  try {
    // The last --namespace counts.
    const where = parent.namespace ? ['--namespace', parent.namespace] : []
    gateway = JSON.parse(
      await tools.kubectl('get', 'gateways.gateway.networking.k8s.io', parent.name, ...where, '--output', 'json'),
    )
  } catch (error) {
    if (error instanceof Failure) return error.message
    throw error
  }
  const { spec, status } = gateway
  const address = status?.addresses?.[0]?.value
  if (address === undefined) return `Gateway ${parent.name} has no address in its status`
  const listener = spec.listeners.find(({ name }) => parent.sectionName === undefined || name === parent.sectionName)
  if (listener?.protocol !== 'HTTP') return `Gateway ${parent.name} listens for ${listener?.protocol ?? 'nothing'}, not for HTTP`
  const name = address.includes(':') ? `[${address}]` : address
  return {
    url: new URL(`http://${name}:${listener.port}/version`),
    host: route.spec.hostnames?.find((host) => !host.startsWith('*')),
  }
}
