import { isDeepStrictEqual } from 'node:util'
import { type Role, roles } from '../canary/roles.ts'
import { headersSet } from './announced.ts'
import type { Manifest, Release, Releases } from './render.ts'
import { isHonoured } from './unsupported.ts'
import { workload } from './workload.ts'

/** One thing that a newcomer would want to hear. */
export interface Change {
  /** What it is about: `traffic`, a role, … */
  readonly subject: string
  readonly text: string
}

type Facet = (releases: Releases) => string | undefined

/** The weights of stable and canary in the rule that splits. */
export function weightsOf(releases: Releases): number[] | undefined {
  const backends = releases.stable.HTTPRoute?.spec.rules.find(isSplit)?.backendRefs
  // Canary's Service need not be there.
  const isStable = (name: string) => name === releases.stable.Service.metadata.name
  const weight = (role: Role) => backends?.find(({ name }) => isStable(name) === (role === 'stable'))?.weight ?? 0
  return backends && roles.map(weight)
}

/** The same, as in `90/10`. */
export const weights: Facet = (releases) => weightsOf(releases)?.join('/')

/** What a route says beside the weights; nothing where there is no route. */
const facets: Record<string, Facet> = {
  hostnames: ({ stable: { HTTPRoute } }) => HTTPRoute && (HTTPRoute.spec.hostnames?.join(', ') ?? 'any'),
  preview: ({ stable: { HTTPRoute } }) => {
    const headers = HTTPRoute?.spec.rules.flatMap(({ matches = [], backendRefs = [] }) => {
      const target = backendRefs.map(({ name }) => name).join(' or ')
      return matches.flatMap(({ headers = [] }) => headers.map(({ name, value }) => `"${name}: ${value}" goes to ${target}`))
    })
    return headers && (distinct(headers).join(', ') || 'off')
  },
  announce: ({ stable: { HTTPRoute } }) => {
    const headers = HTTPRoute?.spec.rules.flatMap(headersSet)
    return headers && (distinct(headers.map((name) => `replies say ${name}`)).join(', ') || 'off')
  },
}

const isSplit = ({ matches = [] }: NonNullable<Release['HTTPRoute']>['spec']['rules'][number]) =>
  matches.every(({ headers }) => headers === undefined)

/** What differs between two renders, as far as anyone would notice. */
export function changes(before: Releases, after: Releases): Change[] {
  const found = [
    ...compare('traffic', weights(before) ?? 'no route', weights(after) ?? 'no route'),
    ...Object.entries(facets).flatMap(([subject, facet]) => compare(subject, facet(before), facet(after))),
  ]
  if (found.length === 0 && differ(before.stable.HTTPRoute, after.stable.HTTPRoute)) {
    found.push({ subject: 'route', text: 'HTTPRoute changed' })
  }
  return [...found, ...roles.flatMap((role) => releaseChanges(role, before[role], after[role]))]
}

function compare(subject: string, before: string | undefined, after: string | undefined): Change[] {
  if (before === undefined || after === undefined || before === after) return []
  return [{ subject, text: `${before} → ${after}` }]
}

function releaseChanges(role: Role, before: Release | undefined, after: Release | undefined): Change[] {
  if (!before || !after) {
    if (after) return [{ subject: role, text: `installed: starting ${podsOf(after)}` }]
    return before ? [{ subject: role, text: 'uninstalled: its values file is gone' }] : []
  }
  const changed = deploymentChanges(before, after)
  const rolls = differ(before.Deployment.spec?.template, after.Deployment.spec?.template)
  if (rolls && changed.length === 0) changed.push('pods changed')
  const text = `${changed.join(', ')}${rolls && workload(before).replicas > 0 ? `: rolling ${podsOf(before)}` : ''}`
  return [...(changed.length > 0 ? [text] : []), ...objectChanges(before, after)].map((text) => ({ subject: role, text }))
}

function podsOf(release: Release): string {
  const { replicas } = workload(release)
  return `${replicas} pod${replicas === 1 ? '' : 's'}`
}

function deploymentChanges(before: Release, after: Release): string[] {
  const [old, now] = [parts(before), parts(after)]
  const named = Object.keys({ ...old.named, ...now.named }).flatMap((name) => {
    const [from = '–', to = '–'] = [old.named[name], now.named[name]]
    return from === to ? [] : [`${name} ${from} → ${to}`]
  })
  const others = Object.keys({ ...old.others, ...now.others }).filter((name) => differ(old.others[name], now.others[name]))
  return [...named, ...(others.length > 0 ? [`${others.join(', ')} changed`] : [])]
}

/** A Deployment taken apart: what is worth saying with its value, and what by its name alone. */
function parts(release: Release): { named: Record<string, string>; others: Record<string, unknown> } {
  const { template, replicas: _, ...spec } = release.Deployment.spec ?? {}
  const { containers: [container] = [], ...podSpec } = template?.spec ?? {}
  const { image = '', env = [], name: __, ...others } = container ?? {}
  // The version that the label repeats is among the environment.
  const { 'app.kubernetes.io/version': ___, ...labels } = template?.metadata?.labels ?? {}
  const variables = env.map(({ name, value, valueFrom }) => [
    name === 'DEVOPSAPI_VERSION' ? 'version' : name,
    valueFrom ? JSON.stringify(valueFrom) : value || '""',
  ])
  return {
    named: { ...Object.fromEntries(variables), image, replicas: `${workload(release).replicas}` },
    others: { ...spec, ...podSpec, ...others, labels, annotations: template?.metadata?.annotations },
  }
}

/** Objects other than those that have lines of their own. */
function objectChanges(before: Release, after: Release): string[] {
  const kinds = Object.keys({ ...before, ...after }) as (keyof Release)[]
  return kinds
    .filter((kind) => kind !== 'Deployment' && kind !== 'HTTPRoute' && differ(before[kind], after[kind]))
    .filter((kind) => !(after[kind] ?? before[kind])?.metadata.annotations?.['helm.sh/hook'])
    .map((kind) => {
      const verb = before[kind] ? (after[kind] ? 'changed' : 'removed') : 'added'
      return `${kind} ${verb}${isHonoured(kind) ? '' : ', without effect here'}`
    })
}

/** The labels of an object say nothing that matters here: those of pods are in a Deployment's template. */
function differ(before: unknown, after: unknown): boolean {
  return !isDeepStrictEqual(withoutLabels(before), withoutLabels(after))
}

function withoutLabels(value: unknown): unknown {
  const { metadata } = (value ?? {}) as Partial<Manifest>
  return metadata?.name === undefined ? value : { ...(value as Manifest), metadata: { ...metadata, labels: undefined } }
}

const distinct = (texts: string[]) => [...new Set(texts)]
