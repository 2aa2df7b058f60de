import { join } from 'node:path'
import type { IPodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor'
import { execa } from 'execa'
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment'
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import type { IPod } from 'kubernetes-models/v1/Pod'
import type { IService } from 'kubernetes-models/v1/Service'
import type { IServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
import { parseAllDocuments, stringify } from 'yaml'
import { program } from '../../src/program.ts'

export const chart = join(import.meta.dirname, '../../chart')

export type Role = 'stable' | 'canary'

/** YAML as a person would write it, or the same as an object. */
export type Values = string | Record<string, unknown>

export interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; labels: Record<string, string>; annotations?: Record<string, string> }
}

interface Gateway {
  spec: { gatewayClassName: string; listeners: { name: string; port: number; protocol: string; allowedRoutes: unknown }[] }
}

interface HTTPRoute {
  spec: {
    parentRefs: Record<string, string>[]
    hostnames?: string[]
    rules: {
      name: string
      matches: { path: { type: string; value: string }; headers?: { type: string; name: string; value: string }[] }[]
      filters?: unknown[]
      backendRefs: { group: string; kind: string; name: string; port: number; weight: number }[]
    }[]
  }
}

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
}

export interface Options {
  values?: Values
  /** Files of the chart, as in `--values examples/bad-canary.yaml`. */
  overlays?: string[]
  release?: string
  chart?: string
}

/** Runs Helm away from any cluster of the machine's user. */
export function helm(args: string[], { input = '', env = {} }: { input?: string; env?: Record<string, string> } = {}) {
  return execa(program('helm'), args, {
    cwd: chart,
    input,
    reject: false,
    env: { KUBECONFIG: '/dev/null', ...env },
  })
}

/** What an operator types for a role, followed by the options. */
export function valuesArguments(role: Role, { overlays = [], values }: Options = {}) {
  const files = [`values-${role}.yaml`, ...overlays, ...(values === undefined ? [] : ['-'])]
  return files.flatMap((file) => ['--values', file])
}

function template(role: Role, options: Options) {
  const { values = '', release = `devops-api-${role}` } = options
  return helm(['template', release, options.chart ?? '.', '--namespace', 'demo', ...valuesArguments(role, options)], {
    input: typeof values === 'string' ? values : stringify(values),
  })
}

export async function render(role: Role, options: Options = {}): Promise<Release> {
  const { stdout, stderr, failed } = await template(role, options)
  if (failed) throw new Error(stderr)
  const manifests = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest)
  const release = Object.fromEntries(manifests.map((manifest) => [manifest.kind, manifest]))
  if (Object.keys(release).length < manifests.length) throw new Error(`two objects of one kind in\n${stdout}`)
  return release as unknown as Release
}

/** What a person reads when the chart refuses the values, without the lines that Helm puts around every refusal. */
export async function refusal(role: Role, options: Options): Promise<string> {
  const { stdout, stderr, failed } = await template(role, options)
  if (!failed) throw new Error(`nothing refused\n${stdout}`)
  return stderr
    .split('\n')
    .filter((line) => !/^(Error: (values don't meet|execution error)|devops-api:$|Use --debug|$)/.test(line))
    .join('\n')
}

export const manifests = (release: Release): Manifest[] => Object.values(release)

/** The pod of the service, then that of the test. */
export function podTemplates({ Deployment, Pod }: Release) {
  return [Deployment.spec?.template, Pod].map((pod) => {
    const container = pod?.spec?.containers[0]
    if (!pod?.metadata?.labels || !pod.spec || !container) throw new Error('a pod without labels or a container')
    return { labels: pod.metadata.labels, spec: pod.spec, container }
  })
}
