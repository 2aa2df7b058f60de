import { isDeepStrictEqual } from 'node:util'
import { nameIn, parseManifest, type RenderedObject } from '../cluster/parseManifest.ts'
import type { ReleaseNames } from '../roles.ts'

/** A field in which two renderings differ; a side that lacks it has undefined. */
export interface Difference {
  /** Such as "Deployment devops-api-stable". */
  readonly object: string
  /** Such as "spec.template.spec.containers[devops-api].image"; empty for the whole object. */
  readonly field: string
  readonly before: unknown
  readonly after: unknown
}

const nameOf = ({ kind, metadata: { name, namespace } }: RenderedObject) =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`

/** Where two manifests differ, object by object and field by field. */
export function compareManifests(before: readonly RenderedObject[], after: readonly RenderedObject[]): Difference[] {
  const old = new Map(before.map((object) => [nameOf(object), object]))
  const now = new Map(after.map((object) => [nameOf(object), object]))
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((object) =>
    compareFields(old.get(object), now.get(object)).map((difference) => ({ object, ...difference })),
  )
}

/** Where two values differ; entries of lists are told apart by their names, where all have one. */
export function compareFields(before: unknown, after: unknown, field = ''): Omit<Difference, 'object'>[] {
  if (isDeepStrictEqual(before, after)) return []
  const [old, now] = [entriesOf(before), entriesOf(after)]
  if (!old || !now || old.isList !== now.isList) return [{ field, before, after }]
  const nested = [...new Set([...old.entries.keys(), ...now.entries.keys()])].flatMap((key) => {
    const path = old.isList ? `${field}[${key}]` : field ? `${field}.${quoted(key)}` : quoted(key)
    return compareFields(old.entries.get(key), now.entries.get(key), path)
  })
  // The same entries in another order.
  return nested.length > 0 ? nested : [{ field, before, after }]
}

function entriesOf(value: unknown): { isList: boolean; entries: Map<string, unknown> } | undefined {
  if (value === null || typeof value !== 'object') return undefined
  if (!Array.isArray(value)) return { isList: false, entries: new Map(Object.entries(value)) }
  const names = value.map((entry) => (entry as { name?: unknown } | null)?.name)
  const areNamed = names.every((name) => typeof name === 'string') && new Set(names).size === names.length
  return { isList: true, entries: new Map(value.map((entry, index) => [areNamed ? `${names[index]}` : `${index}`, entry])) }
}

const quoted = (key: string) => (/[.[\]]/.test(key) ? `"${key}"` : key)

const show = (value: unknown): string => {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}

/** A difference, such as `Service a: spec.type "ClusterIP" → "NodePort"`. */
export function showDifference({ object, field, before, after }: Difference): string {
  if (field) return `${object}: ${field} ${show(before)} → ${show(after)}`
  return `${object}: ${before === undefined ? 'is new' : 'would be deleted'}`
}

const MOST_NAMED = 3

/** Several differences on one line, what pods are made of first, and what only describes objects last. */
export function listDifferences(differences: readonly Difference[]): string {
  const order = [/containers\[|replicas/, /^spec/, /^(?!metadata)/]
  const rank = ({ field }: Difference) => {
    const index = order.findIndex((pattern) => pattern.test(field))
    return index === -1 ? order.length : index
  }
  const named = differences
    .toSorted((a, b) => rank(a) - rank(b))
    .slice(0, MOST_NAMED)
    .map(showDifference)
  const rest = differences.length - named.length
  return [...named, ...(rest > 0 ? [`${rest} more, which --dry-run shows`] : [])].join('; ')
}

/** Whether a Service without weight comes into the route or leaves it, as the chart has it wherever that Service is there. */
export const isIdleBackend = ({ object, before, after }: Difference): boolean =>
  object.startsWith('HTTPRoute ') &&
  (before === undefined || after === undefined) &&
  ((before ?? after) as { weight?: unknown } | null | undefined)?.weight === 0

export const isSameField = (a: Difference, b: Difference): boolean => a.object === b.object && a.field === b.field

interface DeploymentObject extends RenderedObject {
  readonly spec: {
    readonly replicas?: number
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> }
    readonly template: PodTemplate
  }
}

export interface PodTemplate {
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly spec: { readonly containers: readonly { readonly name: string; readonly image: string }[] }
}

/** The Deployment of a release, if its manifest has one. */
export function deploymentOf(objects: readonly RenderedObject[], release: string): DeploymentObject | undefined {
  const name = nameIn(objects, 'Deployment', release)
  return objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name) as DeploymentObject | undefined
}

/** How the manifest of a release makes its pods. */
export const podTemplateOf = (manifest: string, release: string): PodTemplate | undefined =>
  deploymentOf(parseManifest(manifest), release)?.spec.template

/** Where the pods of stable would differ from those that were judged in canary in more than their role and their names. */
export function comparePods(judged: PodTemplate, given: PodTemplate, names: ReleaseNames): Omit<Difference, 'object'>[] {
  const asTheyAre = compareFields(judged, given)
  // What is the same in both already must not be renamed.
  return compareFields(asStables(judged, names), given).filter(({ field }) =>
    asTheyAre.some((other) => field.startsWith(other.field) || other.field.startsWith(field)),
  )
}

function asStables(value: unknown, names: ReleaseNames): unknown {
  if (value === 'canary') return 'stable'
  if (typeof value === 'string') return value.replaceAll(names.canary, names.stable)
  if (Array.isArray(value)) return value.map((entry) => asStables(entry, names))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, asStables(entry, names)]))
}
