import { Application } from '@kubernetes-models/argo-cd/argoproj.io/v1alpha1/Application'
import { HelmRelease } from '@kubernetes-models/flux-cd/helm.toolkit.fluxcd.io/v2/HelmRelease'
import { GitRepository } from '@kubernetes-models/flux-cd/source.toolkit.fluxcd.io/v1/GitRepository'
import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor'
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule'
import { Ajv } from 'ajv'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import { Job } from 'kubernetes-models/batch/v1/Job'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { Pod } from 'kubernetes-models/v1/Pod'
import { Service } from 'kubernetes-models/v1/Service'
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
// From the standard channel's CustomResourceDefinitions (kubernetes-sigs/gateway-api, Apache-2.0): each `spec`, reduced to what can be
// checked here, without defaults, CEL rules, and of the descriptions with just those levels of support that are not Core.
import gatewayApi from './gateway-api-v1.6.1.json' with { type: 'json' }

type Validate = (manifest: object) => void

/** The model's own method, on the manifest itself: a new model would be a copy. */
const model =
  ({ prototype }: { prototype: { validate(): void } }): Validate =>
  (manifest) =>
    prototype.validate.call(manifest)

const text = { type: 'string' }
const texts = { type: 'object', additionalProperties: text }
const metadata = {
  type: 'object',
  required: ['name'],
  properties: { name: text, namespace: text, labels: texts, annotations: texts },
}

const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false })
const customResource = (spec: object): Validate => {
  const validate = ajv.compile({ required: ['metadata', 'spec'], properties: { apiVersion: text, kind: text, metadata, spec } })
  return (manifest) => {
    if (!validate(manifest)) throw new Error(ajv.errorsText(validate.errors))
  }
}

const types: Record<string, Validate> = {
  'apps/v1 Deployment': model(Deployment),
  'argoproj.io/v1alpha1 Application': model(Application),
  'autoscaling/v2 HorizontalPodAutoscaler': model(HorizontalPodAutoscaler),
  'batch/v1 Job': model(Job),
  'gateway.networking.k8s.io/v1 Gateway': customResource(gatewayApi.Gateway),
  'gateway.networking.k8s.io/v1 HTTPRoute': customResource(gatewayApi.HTTPRoute),
  'helm.toolkit.fluxcd.io/v2 HelmRelease': model(HelmRelease),
  'monitoring.coreos.com/v1 PodMonitor': model(PodMonitor),
  'monitoring.coreos.com/v1 PrometheusRule': model(PrometheusRule),
  'networking.k8s.io/v1 NetworkPolicy': model(NetworkPolicy),
  'policy/v1 PodDisruptionBudget': model(PodDisruptionBudget),
  'source.toolkit.fluxcd.io/v1 GitRepository': model(GitRepository),
  'v1 Pod': model(Pod),
  'v1 Service': model(Service),
  'v1 ServiceAccount': model(ServiceAccount),
}

/** Throws what an API server with strict field validation would refuse, apart from rules across fields. */
export function assertValid(manifest: { apiVersion: string; kind: string }): void {
  const type = `${manifest.apiVersion} ${manifest.kind}`
  const validate = types[type]
  if (!validate) throw new Error(`${type} is no known type`)
  const known = new Set<string>()
  validate(recordReads(manifest, '', known))
  const unknown = paths(manifest, '').filter((path) => !known.has(path))
  if (unknown.length > 0) throw new Error(`data${unknown} is unknown`)
}

/** The schemas let unknown fields pass by never looking at them, so a field that nobody has read is unknown. */
function recordReads<T extends object>(value: T, path: string, reads: Set<string>): T {
  return new Proxy(value, {
    get(target, key) {
      const child: unknown = Reflect.get(target, key)
      const childPath = `${path}/${String(key)}`
      reads.add(childPath)
      return typeof child === 'object' && child !== null ? recordReads(child, childPath, reads) : child
    },
  })
}

function paths(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, child]) => [`${path}/${key}`, ...paths(child, `${path}/${key}`)])
}
