import type { ClusterState } from '../cluster/clusterState.ts'
import type { Restarts } from '../cluster/readRestarts.ts'
import { count, list, percent, whole } from '../format.ts'
import { fold, type Paint } from '../output/terminal.ts'
import { type Role, roles } from '../roles.ts'
import type { Values } from '../values/values.ts'
import { showWeights, weightsOf } from '../values/weights.ts'
import { nameOf } from '../verdict/expectation.ts'
import type { Report } from '../verdict/sampleAndJudge.ts'

/** What `status` knows; a text says why a part is not known. */
export interface Status {
  readonly declared: { readonly stable: Values | string; readonly canary: Values | string }
  /** Of the chart, by the names of options. */
  readonly annotations: Readonly<Record<string, string>>
  /** Where the application says its version. */
  readonly path: string
  readonly cluster: ClusterState | string
  /** Of the pods that there are now. */
  readonly restarts: Readonly<Record<Role, Restarts | string>>
  readonly observed: Report | string
  readonly disagreements: readonly string[]
}

const LABEL = 11

/** Where things stand, for people, no wider than `width` where words allow. */
export function statusText(status: Status, width: number, paint: Paint): string {
  const { disagreements } = status
  const block = (label: string, texts: string[]) =>
    texts
      .flatMap((text) => fold(text, width - LABEL))
      .map((line, index) => (index === 0 ? paint('bold', label.padEnd(LABEL)) : ' '.repeat(LABEL)) + line)
  return [
    ...block('declared', declaredTexts(status)),
    ...block('options', optionsTexts(status)),
    ...block('installed', installedTexts(status)),
    ...block('live', liveTexts(status)),
    ...block('observed', observedTexts(status)),
    '',
    ...(disagreements.length === 0
      ? [paint(['bold', 'green'], 'All of it agrees.')]
      : disagreements.flatMap((text) =>
          fold(text, width - 2).map((line, index) => `${index === 0 ? paint(['bold', 'red'], '✗') : ' '} ${line}`),
        )),
    '',
  ].join('\n')
}

function declaredTexts({ declared: { stable, canary } }: Status): string[] {
  const image = (values: Values) => [values.image?.repository, values.image?.tag].filter(Boolean).join(':') || "the chart's image"
  const version = ({ env }: Values) => (env?.DEVOPSAPI_VERSION ? `, says ${env.DEVOPSAPI_VERSION}` : '')
  return [
    typeof stable === 'string' ? stable : `${showWeights(weightsOf(stable))}, stable ${image(stable)}${version(stable)}`,
    typeof canary === 'string' ? canary : `canary ${image(canary)}${version(canary)}`,
  ]
}

function optionsTexts({ annotations }: Status): string[] {
  const options = Object.entries(annotations).map(([name, value]) => `--${name} ${value}`)
  return options.length > 0 ? [`${options.join(', ')}, as Chart.yaml says`] : []
}

function installedTexts({ cluster, restarts }: Status): string[] {
  if (typeof cluster === 'string') return ['the cluster cannot be read']
  return roles.map((role) => {
    const release = cluster.releases[role]
    const pods = cluster.workloads[role]
    if (!release) return `${role} is not`
    const runs = pods
      ? `${pods.version ?? 'without a version'} (${pods.image}), ${pods.ready} of ${pods.wanted} pods ready${restartsText(restarts[role])}`
      : 'without a Deployment'
    return `${role} revision ${release.revision}, ${release.status}: ${runs}`
  })
}

function restartsText(restarts: Restarts | string): string {
  if (typeof restarts === 'string') return ', restarts unknown'
  const { reasons } = restarts
  if (restarts.count === 0) return ''
  return `, ${count(restarts.count, 'restart')}${reasons.length > 0 ? ` (${reasons.join(', ')})` : ''}`
}

function liveTexts({ cluster }: Status): string[] {
  if (typeof cluster === 'string') return ['unknown']
  const { route } = cluster
  if (!route) return ['no route']
  return [
    `${showWeights(route.weights)}, ${route.problems.length === 0 ? 'Accepted and ResolvedRefs' : 'not in force'}`,
    ...route.mayHide.map((text) => `may hide errors: ${text}`),
  ]
}

function observedTexts({ observed }: Status): string[] {
  if (typeof observed === 'string') return ['nobody was asked']
  const { sample, url } = observed
  const { requests, sources, failures } = sample
  const shares = sources.map((source) => {
    const errors = source.errors.total > 0 ? ` (${list(source.errors)})` : ''
    return `${nameOf(source)} ${percent(source.replies / requests)}${errors}`
  })
  const failed = failures.total > 0 ? [`no version ${percent(failures.total / requests)} (${list(failures)})`] : []
  return [[...shares, ...failed].join(', '), `(${whole(requests)} requests to ${url})`]
}
