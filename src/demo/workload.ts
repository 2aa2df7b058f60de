import { createHash } from 'node:crypto'
import { Mistake } from './mistake.ts'
import type { Release } from './render.ts'

/** A Deployment, as far as processes can honour it. */
export interface Workload {
  readonly name: string
  readonly replicas: number
  /** Pods there may be beyond `replicas` while they are replaced. */
  readonly maxSurge: number
  /** Pods below `replicas` that may be missing meanwhile. */
  readonly maxUnavailable: number
  readonly template: PodTemplate
}

export interface PodTemplate {
  /** Differs whenever anything in the template does; part of the pods' names. */
  readonly hash: string
  readonly labels: Readonly<Record<string, string>>
  /** A variable without a value gets the pod's name. */
  readonly env: readonly { readonly name: string; readonly value?: string }[]
  /** What runs instead of our service. */
  readonly command?: Command & { readonly image: string }
  /** Names and numbers of the ports that a Service may aim at; one process answers for all of them. */
  readonly ports: readonly (string | number)[]
  readonly readiness?: Probe
  readonly liveness?: Probe
  /** Resident bytes beyond which it is killed. */
  readonly memoryLimit?: number
  /** How long a stopping pod goes on serving before SIGTERM. */
  readonly preStopMs: number
  /** When SIGKILL follows, counted like `preStopMs` from the beginning. */
  readonly graceMs: number
}

/** For a shell, and where it runs. */
export interface Command {
  readonly line: string
  readonly cwd: string
}

export interface Probe {
  readonly path: string
  readonly periodMs: number
  readonly timeoutMs: number
  readonly failureThreshold: number
}

type Deployment = NonNullable<Release['Deployment']['spec']>
type Container = NonNullable<Deployment['template']['spec']>['containers'][number]

/** Kubernetes' own alphabet for generated names: no vowels, so no words. */
export const SAFE_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

/**
 * What the Deployment of a release asks for. Without a number of replicas it is the least that the autoscaler would keep.
 * @throws {Mistake} when no process could stand in for its pods
 */
export function workload({ Deployment: { metadata, spec }, HorizontalPodAutoscaler }: Release, command?: Command): Workload {
  const [container, ...others] = spec?.template.spec?.containers ?? []
  if (!spec || !container || others.length > 0) {
    throw new Mistake(`Deployment ${metadata.name} must have one container, because one process stands for a pod here.`)
  }
  const replicas = spec.replicas ?? HorizontalPodAutoscaler?.spec?.minReplicas ?? 1
  const { maxSurge = '25%', maxUnavailable = '25%' } = spec.strategy?.rollingUpdate ?? {}
  return {
    name: metadata.name,
    replicas,
    maxSurge: Math.ceil(share(maxSurge, replicas)),
    maxUnavailable: Math.floor(share(maxUnavailable, replicas)),
    template: podTemplate(spec.template, container, command),
  }
}

function podTemplate(template: Deployment['template'], container: Container, command: Command | undefined): PodTemplate {
  const { readinessProbe, livenessProbe, ports = [], resources } = container
  const memory = resources?.limits?.memory
  return {
    hash: hash(template),
    labels: template.metadata?.labels ?? {},
    env: (container.env ?? []).flatMap(({ name, value = '', valueFrom }) => {
      if (!valueFrom) return [{ name, value }]
      return valueFrom.fieldRef?.fieldPath === 'metadata.name' ? [{ name }] : []
    }),
    ports: ports.flatMap(({ name, containerPort }) => [containerPort, ...(name ? [name] : [])]),
    ...(readinessProbe && { readiness: probe(readinessProbe, container) }),
    ...(livenessProbe && { liveness: probe(livenessProbe, container) }),
    ...(command && { command: { ...command, image: container.image ?? '' } }),
    // What a command starts is not measured.
    ...(memory !== undefined && !command && { memoryLimit: bytes(`${memory}`) }),
    preStopMs: (container.lifecycle?.preStop?.sleep?.seconds ?? 0) * 1000,
    graceMs: (template.spec?.terminationGracePeriodSeconds ?? 30) * 1000,
  }
}

function probe(
  { httpGet, periodSeconds = 10, timeoutSeconds = 1, failureThreshold = 3 }: NonNullable<Container['livenessProbe']>,
  { name, ports = [] }: Container,
): Probe {
  if (!httpGet) throw new Mistake(`A probe of container ${name} is no httpGet, and the demo knows no other.`)
  if (!ports.some((port) => port.name === httpGet.port || port.containerPort === httpGet.port)) {
    throw new Mistake(`A probe of container ${name} asks at port ${httpGet.port}, which is none of its ports.`)
  }
  return { path: httpGet.path ?? '/', periodMs: periodSeconds * 1000, timeoutMs: timeoutSeconds * 1000, failureThreshold }
}

/** A quantity as in `192Mi`: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
function bytes(quantity: string): number {
  const [, number, unit = '', binary] = /^([\d.]+)([kKMGT]?)(i?)$/.exec(quantity) ?? []
  if (number === undefined) throw new Mistake(`The memory limit ${quantity} is no quantity that the demo knows, such as 192Mi.`)
  return Number(number) * (binary ? 1024 : 1000) ** ['', 'K', 'M', 'G', 'T'].indexOf(unit.toUpperCase())
}

const share = (value: number | string, whole: number) =>
  typeof value === 'number' ? value : (Number.parseInt(value, 10) / 100) * whole

function hash(value: unknown): string {
  const digest = createHash('sha256').update(JSON.stringify(value)).digest()
  return [...digest.subarray(0, 9)].map((byte) => SAFE_ALPHABET[byte % SAFE_ALPHABET.length]).join('')
}
