import { existsSync } from 'node:fs'
import { devNull } from 'node:os'
import { resolve } from 'node:path'
import type { IHTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute'
import type { IHTTPRouteRule } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRouteRule'
import type { IPodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor'
import type { IPrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule'
import { execa } from 'execa'
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment'
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import type { IPod } from 'kubernetes-models/v1/Pod'
import type { IService } from 'kubernetes-models/v1/Service'
import type { IServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
import { parseAllDocuments } from 'yaml'
import { findProgram } from '../canary/cluster/findProgram.ts'
import { Failure, WrongUse } from '../canary/errors.ts'
import { type Role, releaseName } from '../canary/roles.ts'
import { chartName } from '../canary/values/chartName.ts'
import { Mistake } from './mistake.ts'

export interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; labels: Record<string, string>; annotations?: Record<string, string> }
}

export interface Gateway {
  spec: { gatewayClassName: string; listeners: { name: string; port: number; protocol: string; allowedRoutes: unknown }[] }
}

/** As the chart writes it, which never leaves out the rules. */
export type HTTPRoute = IHTTPRoute & { spec: { rules: IHTTPRouteRule[] } }

/** What one release consists of; the chart makes at most one object of a kind. */
export interface Release {
  Deployment: Manifest & IDeployment
  Service: Manifest & IService
  Pod: Manifest & IPod
  ServiceAccount?: Manifest & IServiceAccount
  Gateway?: Manifest & Gateway
  HTTPRoute?: Manifest & HTTPRoute
  HorizontalPodAutoscaler?: Manifest & IHorizontalPodAutoscaler
  PodDisruptionBudget?: Manifest & IPodDisruptionBudget
  NetworkPolicy?: Manifest & INetworkPolicy
  PodMonitor?: Manifest & IPodMonitor
  PrometheusRule?: Manifest & IPrometheusRule
}

/** Both, or stable alone where canary is not installed. */
export interface Releases {
  stable: Release
  canary: Release | undefined
}

/** Where Helm runs, and what it is given; paths are relative to `cwd`, and so are those in its messages. */
export interface Inputs {
  cwd: string
  chart: string
  /** Files laid over the values file of the role. */
  overlays: Record<Role, string[]>
}

/**
 * Both releases, as Helm would send them to a cluster. Without its values file, canary is not installed.
 * @throws {Mistake} with Helm's own words when it refuses the chart or the values
 */
export async function render(inputs: Inputs): Promise<Releases> {
  const isInstalled = existsSync(resolve(inputs.cwd, valuesFile('canary', inputs)))
  const [stable, canary] = await Promise.allSettled([
    template('stable', inputs),
    isInstalled ? template('canary', inputs) : undefined,
  ])
  if (stable.status !== 'fulfilled') throw stable.reason
  if (canary.status !== 'fulfilled') throw canary.reason
  return { stable: stable.value, canary: canary.value }
}

const valuesFile = (role: Role, { chart }: Inputs) => `${chart}/values-${role}.yaml`

async function template(role: Role, inputs: Inputs): Promise<Release> {
  const { cwd, chart, overlays } = inputs
  const files = [valuesFile(role, inputs), ...overlays[role]]
  const helm = await findProgram('helm').catch((error: unknown) => {
    throw error instanceof Failure ? new Mistake(error.message) : error
  })
  const { stdout, stderr, failed } = await execa(
    helm,
    ['template', releaseName(nameOf(resolve(cwd, chart)), role), chart, ...files.flatMap((file) => ['--values', file])],
    { cwd, env: { KUBECONFIG: devNull }, reject: false },
  )
  if (failed) throw new Mistake(`Helm refuses ${role}:\n${reason(stderr)}`)
  const release = parse(stdout)
  for (const kind of ['Deployment', 'Service'] as const) {
    if (!release[kind]) throw new Mistake(`The chart makes no ${kind} for ${role}.`)
  }
  return release
}

function nameOf(chart: string): string {
  try {
    return chartName(chart)
  } catch (error) {
    throw error instanceof WrongUse ? new Mistake(error.message) : error
  }
}

/** The objects in what Helm prints, by their kind. */
export function parse(yaml: string): Release {
  const manifests = parseAllDocuments(yaml).flatMap((document) => (document.toJS() as Manifest | null) ?? [])
  const release = Object.fromEntries(manifests.map((manifest) => [manifest.kind, manifest]))
  const [twice] = manifests.filter((manifest) => release[manifest.kind] !== manifest)
  if (twice) throw new Mistake(`The chart makes more than one ${twice.kind} for a release.`)
  return release as unknown as Release
}

/** Helm's message without the lines that it puts around every refusal. */
function reason(stderr: string): string {
  const lines = stderr
    .split('\n')
    .filter((line) => !/^(Error: (values don't meet|execution error)|\S+:$|Use --debug|\s*$)/.test(line))
  return lines.join('\n').replace(/^Error: /, '')
}
