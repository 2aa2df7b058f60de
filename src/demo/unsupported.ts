import type { Manifest, Releases } from './render.ts'
import { type Known, unknownFields } from './unknownFields.ts'

const probe: Known = { httpGet: { path: true, port: true }, periodSeconds: true, timeoutSeconds: true, failureThreshold: true }

const container: Known = {
  name: true,
  env: { name: true, value: true, valueFrom: { fieldRef: { apiVersion: true, fieldPath: 'metadata.name' } } },
  ports: { name: true, containerPort: true, protocol: 'TCP' },
  resources: { limits: { memory: true } },
  readinessProbe: probe,
  livenessProbe: probe,
  lifecycle: { preStop: { sleep: { seconds: true } } },
}

const pod: Known = { containers: container, terminationGracePeriodSeconds: true }

/** What is honoured, by kind; a route says by itself what it cannot do. */
const known: Record<string, Known> = {
  Deployment: {
    replicas: true,
    selector: true,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: true, maxUnavailable: true } },
    template: { metadata: { labels: true, annotations: true }, spec: pod },
  },
  Service: { type: 'ClusterIP', selector: true, ports: { name: true, port: true, targetPort: true, protocol: 'TCP' } },
  HTTPRoute: true,
}

const instead: Record<string, string> = {
  image: 'this checkout runs instead',
  Gateway: 'this program takes its place',
  HorizontalPodAutoscaler: 'its fewest pods run',
}

/** What both releases together ask for without effect here: objects by their kind, and fields of those that do have an effect. */
export function unsupported(releases: Releases, command?: string): { objects: string[]; fields: string[] } {
  const manifests = Object.values(releases)
    .flatMap((release) => Object.values(release ?? {}) as (Manifest & { spec?: unknown })[])
    .filter(({ metadata }) => !metadata.annotations?.['helm.sh/hook'])
  const kinds = manifests.filter(({ kind }) => !isHonoured(kind)).map(({ kind }) => kind)
  const fields = manifests.flatMap(({ kind, spec }) => unknownFields(spec, known[kind] ?? true)).map(shorten)
  const hasLimit = manifests.some(({ kind, spec }) => kind === 'Deployment' && JSON.stringify(spec).includes('"limits":{'))
  if (command && hasLimit) fields.push('resources.limits')
  const meanings = { ...instead, ...(command && { image: `"${command}" runs instead` }) }
  return { objects: explain(kinds, meanings), fields: explain(fields, meanings) }
}

const explain = (names: string[], meanings: Record<string, string>) =>
  [...new Set(names)].sort().map((name) => (meanings[name] ? `${name} (${meanings[name]})` : name))

/** Whether objects of this kind have an effect here. */
export const isHonoured = (kind: string): boolean => Object.hasOwn(known, kind)

const shorten = (path: string) => path.replace(/^template\.spec\.(containers\.)?/, '')
