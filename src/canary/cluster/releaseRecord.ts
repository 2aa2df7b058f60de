import { normalize } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Failure } from '../errors.ts'
import type { Role } from '../roles.ts'
import type { Values } from '../values/values.ts'
import type { Files } from '../values/withFiles.ts'
import type { Revision } from './clusterState.ts'
import type { HelmAndKubectl } from './helmAndKubectl.ts'

/** A revision of a release, with all that Helm says of it. */
export interface InstalledRevision extends Revision {
  readonly description: string
  /** What was rendered, without hooks. */
  readonly manifest: string
}

interface Status {
  readonly version: number
  readonly config?: Values | null
  readonly info: { readonly status: string; readonly last_deployed: string; readonly description?: string }
  readonly manifest?: string
}

/** The newest revision of a release, or an older one; undefined where it is not installed. */
export async function readInstalled(
  tools: HelmAndKubectl,
  role: Role,
  revision?: number,
): Promise<InstalledRevision | undefined> {
  const which = revision === undefined ? [] : ['--revision', `${revision}`]
  try {
    const text = await tools.helm('status', tools.names[role], ...which, '--output', 'json')
    const { version, config, info, manifest = '' } = JSON.parse(text) as Status
    const { status, last_deployed, description = '' } = info
    return { revision: version, status, at: Date.parse(last_deployed), values: config ?? {}, description, manifest }
  } catch (error) {
    if (error instanceof Failure && /release: not found/.test(error.message)) return undefined
    throw error
  }
}

/** The chart's own values and what was given with a revision, as it was rendered with them. */
export async function readComputedValues(tools: HelmAndKubectl, role: Role, revision: number): Promise<Values> {
  const args = ['get', 'values', tools.names[role], '--all', '--revision', `${revision}`, '--output', 'json']
  return JSON.parse(await tools.helm(...args)) ?? {}
}

/** All revisions that Helm remembers, the newest first. */
export async function readHistory(tools: HelmAndKubectl, role: Role): Promise<InstalledRevision[]> {
  const text = await tools.helm('history', tools.names[role], '--output', 'json')
  const numbers = (JSON.parse(text) as { revision: number }[]).map(({ revision }) => revision).toSorted((a, b) => b - a)
  const read = await Promise.all(numbers.map((revision) => readInstalled(tools, role, revision)))
  return read.filter((revision) => revision !== undefined)
}

interface StoredFile {
  readonly name: string
  /** In base64. */
  readonly data: string
}

/** A chart as Helm keeps it beside each revision. */
export interface StoredChart {
  readonly metadata: { readonly name: string; readonly version: string; readonly dependencies?: readonly unknown[] }
  readonly templates?: readonly StoredFile[] | null
  readonly files?: readonly StoredFile[] | null
  readonly values?: unknown
  /** In base64. */
  readonly schema?: string | null
}

/**
 * The chart that a revision was made with, out of Helm's own record of it.
 * @throws {Failure} where Helm keeps its records elsewhere than in Secrets or ConfigMaps, or they cannot be read
 */
export async function readStoredChart(tools: HelmAndKubectl, role: Role, revision: number): Promise<StoredChart> {
  const driver = process.env.HELM_DRIVER || 'secret'
  const kind = /^(secret|configmap)s?$/.exec(driver)?.[1]
  if (!kind) throw new Failure(`Helm keeps its records in "${driver}", where charts cannot be read`)
  const text = await tools.kubectl('get', kind, `sh.helm.release.v1.${tools.names[role]}.v${revision}`, '--output', 'json')
  const { release } = (JSON.parse(text) as { data: { release: string } }).data
  const decode = (encoded: string) => Buffer.from(encoded, 'base64')
  const packed = kind === 'secret' ? decode(decode(release).toString()) : decode(release)
  return (JSON.parse(gunzipSync(packed).toString()) as { chart: StoredChart }).chart
}

/**
 * The files of a chart, for Helm to install it as it was.
 * @throws {Failure} where it had dependencies, which Helm does not keep
 */
export function chartFiles({ metadata, templates, files, values, schema }: StoredChart): Files {
  if ((metadata.dependencies ?? []).length > 0)
    throw new Failure(`Helm does not keep the dependencies of chart ${metadata.name}-${metadata.version}`)
  const stored = [...(files ?? []), ...(templates ?? []), ...(schema ? [{ name: 'values.schema.json', data: schema }] : [])]
  const outside = stored.find(({ name }) => normalize(name).startsWith('..'))
  if (outside) throw new Failure(`chart ${metadata.name} has a file outside of it, ${outside.name}`)
  return {
    ...Object.fromEntries(stored.map(({ name, data }) => [name, Buffer.from(data, 'base64')])),
    // JSON is YAML.
    'Chart.yaml': JSON.stringify(metadata),
    'values.yaml': JSON.stringify(values ?? {}),
  }
}
