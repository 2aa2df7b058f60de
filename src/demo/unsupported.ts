import type { Manifest, Releases } from './render.ts'
import { type Known, unknownFields } from './unknownFields.ts'

const probe: Known = { httpGet: { path: true, port: true }, periodSeconds: true, timeoutSeconds: true, failureThreshold: true }

/** What a command of the user's takes is not measured. */
const limits: Known = { limits: { memory: true } }

const container = (isOurs: boolean): Known => ({
  name: true,
  env: { name: true, value: true, valueFrom: { fieldRef: { apiVersion: true, fieldPath: 'metadata.name' } } },
  ports: { name: true, containerPort: true, protocol: 'TCP' },
  ...(isOurs && { resources: limits }),
  readinessProbe: probe,
  livenessProbe: probe,
  lifecycle: { preStop: { sleep: { seconds: true } } },
})

/** What is honoured, by kind; a route says by itself what it cannot do. */
const known = (isOurs: boolean): Record<string, Known> => ({
  Deployment: {
    replicas: true,
    selector: true,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: true, maxUnavailable: true } },
    template: {
      metadata: { labels: true, annotations: true },
      spec: { containers: container(isOurs), terminationGracePeriodSeconds: true },
    },
  },
  Service: { type: 'ClusterIP', selector: true, ports: { name: true, port: true, targetPort: true, protocol: 'TCP' } },
  HTTPRoute: true,
})

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
  const fields = manifests.flatMap(({ kind, spec }) => unknownFields(spec, known(!command)[kind] ?? true)).map(shorten)
  const meanings = { ...instead, ...(command && { image: `"${command}" runs instead` }) }
  return { objects: explain(kinds, meanings), fields: explain(fields, meanings) }
}

const explain = (names: string[], meanings: Record<string, string>) =>
  [...new Set(names)].sort().map((name) => (meanings[name] ? `${name} (${meanings[name]})` : name))

/** Whether objects of this kind have an effect here. */
export const isHonoured = (kind: string): boolean => Object.hasOwn(known(true), kind)

const shorten = (path: string) => path.replace(/^template\.spec\.(containers\.)?/, '')
