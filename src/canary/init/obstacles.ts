import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseManifest, type RenderedObject } from '../cluster/parseManifest.ts'
import { type ReleaseNames, type Role, roles } from '../roles.ts'

/** An object, and the template that makes it, as a path in the chart. */
export interface Made extends RenderedObject {
  readonly template: string
}

type Labels = Readonly<Record<string, string>>
interface Workload {
  readonly selector?: { readonly matchLabels?: Labels }
  readonly template?: { readonly metadata?: { readonly labels?: Labels } }
}

/** The objects that `helm template` prints, which says before each where it comes from. */
export function madeBy(printed: string): Made[] {
  return printed.split(/^---$/m).flatMap((text) => {
    const [, path = ''] = /^# Source: (.+)$/m.exec(text) ?? []
    const template = path.split('/').slice(1).join('/')
    return parseManifest(text).map((object) => ({ ...object, template }))
  })
}

const KEEPS_DATA: Record<string, string> = {
  StatefulSet: 'each release would have data of its own, and a promotion would leave what canary has behind',
  PersistentVolumeClaim: 'each release would have data of its own: let both use one that is made elsewhere',
}

/** What in a chart keeps two releases of it from being a pair, each with the line to change. */
export function obstacles(chart: string, releases: Readonly<Record<Role, readonly Made[]>>, names: ReleaseNames): string[] {
  const { stable, canary } = releases
  const found: string[] = []
  const at = ({ template, kind, metadata }: Made, pattern: RegExp) =>
    `${join(chart, template)}:${lineOf(join(chart, template), pattern)}: ${kind} ${metadata.name}`
  for (const object of stable) {
    const data = KEEPS_DATA[object.kind]
    if (data !== undefined) found.push(`${at(object, /^kind:/)}: ${data}`)
    const isInBoth = canary.some(({ kind, metadata }) => kind === object.kind && metadata.name === object.metadata.name)
    if (isInBoth)
      found.push(
        `${at(object, /^ {2}name:/)} is in both releases, where the second cannot be installed: have its name begin with {{ ${nameTemplate(chart)} }}`,
      )
    const selector = selectorOf(object)
    const others = selector && canary.filter((other) => isSelected(selector, podLabels(other)))
    for (const other of others ?? [])
      found.push(
        `${at(object, /selector:/)} selects the pods of ${names.canary} as well (${other.kind} ${other.metadata.name}): add app.kubernetes.io/instance: {{ .Release.Name }} to the selector and to the labels of the pods`,
      )
  }
  if (!stable.some(({ kind }) => kind === 'Deployment') && found.length === 0)
    found.push(`${chart} makes no Deployment, whose pods a new version could be tried in`)
  return found
}

/** The Services that send requests to the pods of a release's Deployments. */
export function servicesOf(release: readonly Made[]): Made[] {
  const pods = release.filter(({ kind }) => kind === 'Deployment').map(podLabels)
  return release.filter((object) => {
    const selector = object.kind === 'Service' ? selectorOf(object) : undefined
    return selector !== undefined && pods.some((labels) => isSelected(selector, labels))
  })
}

function selectorOf({ kind, spec }: Made): Labels | undefined {
  if (kind === 'Service') return (spec as { selector?: Labels } | undefined)?.selector
  return kind === 'Deployment' ? (spec as Workload).selector?.matchLabels : undefined
}

const podLabels = ({ kind, spec }: Made): Labels | undefined =>
  kind === 'Deployment' ? ((spec as Workload).template?.metadata?.labels ?? {}) : undefined

const isSelected = (selector: Labels, labels: Labels | undefined): boolean =>
  labels !== undefined && Object.entries(selector).every(([name, value]) => labels[name] === value)

/** The first line of a template that matches, or its first. */
function lineOf(path: string, pattern: RegExp): number {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
  return Math.max(1, lines.findIndex((line) => pattern.test(line)) + 1)
}

/** How the chart itself calls its objects, as `helm create` writes it. */
function nameTemplate(chart: string): string {
  const helpers = join(chart, 'templates/_helpers.tpl')
  const text = existsSync(helpers) ? readFileSync(helpers, 'utf8') : ''
  const [, name] = /define "([^"]*\bfullname)"/.exec(text) ?? []
  return name ? `include "${name}" .` : '.Release.Name'
}

/**
 * Whether two releases are a pair: no object is in both, and one route sends requests to a Service of each.
 * @returns what is wrong; nothing where they are
 */
export function unproven(releases: Readonly<Record<Role, readonly Made[]>>): string[] {
  const routes = roles.flatMap((role) =>
    releases[role].filter(({ kind }) => kind === 'HTTPRoute').map((route) => ({ role, route })),
  )
  const [first] = routes
  if (routes.length !== 1 || first?.role !== 'stable')
    return [
      `there must be one route, stable's, and there are ${routes.length} (${routes.map(({ route }) => basename(route.template)).join(', ')})`,
    ]
  const { rules } = first.route.spec as { rules: { backendRefs: { name: string }[] }[] }
  const backends = rules.flatMap(({ backendRefs }) => backendRefs.map(({ name }) => name))
  return roles.flatMap((role, index) => {
    const own = servicesOf(releases[role]).map(({ metadata }) => metadata.name)
    const name = backends[index]
    return name !== undefined && own.includes(name)
      ? []
      : [`the route names ${name}, which is no Service of ${role} (${own.join(', ')})`]
  })
}
