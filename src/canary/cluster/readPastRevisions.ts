import { Failure } from '../errors.ts'
import { type Role, roles } from '../roles.ts'
import type { Weights } from '../values/weights.ts'
import type { HelmAndKubectl } from './helmAndKubectl.ts'
import { nameIn, parseManifest } from './parseManifest.ts'
import { type DeploymentObject, isStablesService, type RouteObject, versionOf, weightsIn } from './readClusterState.ts'

/** A revision of a release, as Helm remembers it. */
export interface PastRevision {
  readonly role: Role
  readonly revision: number
  /** In milliseconds since 1970. */
  readonly at: number
  /** Helm's word, such as "deployed", "superseded" or "failed". */
  readonly status: string
  /** Its chart and version, such as "devops-api-1.1.1". */
  readonly chart: string
  readonly description: string
  /** Of the route that it renders; undefined where it renders none. */
  readonly weights: Weights | undefined
  /** What its pods are told to say; undefined where they are told nothing. */
  readonly version: string | undefined
}

/** An entry of `helm history`. */
interface Entry {
  readonly revision: number
  readonly updated: string
  readonly status: string
  readonly chart: string
  readonly description: string
}

/** Each is a process that takes a core for a moment. */
const MOST_AT_A_TIME = 4

/**
 * All revisions of both releases that Helm remembers, the oldest first.
 * @throws {Failure} where Helm cannot read them
 */
export async function readPastRevisions(tools: HelmAndKubectl): Promise<PastRevision[]> {
  const lists = await Promise.all(roles.map(async (role) => (await readEntries(tools, role)).map((entry) => ({ role, entry }))))
  const left = lists.flat().values()
  const revisions: PastRevision[] = []
  const readOn = async () => {
    for (const { role, entry } of left) revisions.push(await readRevision(tools, role, entry))
  }
  await Promise.all(Array.from({ length: MOST_AT_A_TIME }, readOn))
  return revisions.toSorted((a, b) => a.at - b.at || roles.indexOf(a.role) - roles.indexOf(b.role) || a.revision - b.revision)
}

async function readEntries(tools: HelmAndKubectl, role: Role): Promise<Entry[]> {
  return JSON.parse((await unlessNotFound(tools.helm('history', tools.names[role], '--output', 'json'))) ?? '[]')
}

async function readRevision(tools: HelmAndKubectl, role: Role, entry: Entry): Promise<PastRevision> {
  const { revision, updated, status, chart, description } = entry
  const name = tools.names[role]
  // Helm may forget the oldest at any time.
  const manifest = (await unlessNotFound(tools.helm('get', 'manifest', name, '--revision', `${revision}`))) ?? ''
  const objects = parseManifest(manifest)
  const find = (sought: string) =>
    objects.find(({ kind, metadata }) => kind === sought && metadata.name === nameIn(objects, kind, name)) as unknown
  const route = find('HTTPRoute') as RouteObject | undefined
  const deployment = find('Deployment') as DeploymentObject | undefined
  return {
    role,
    revision,
    at: Date.parse(updated),
    status,
    chart,
    description,
    weights: route && weightsIn(route.spec, isStablesService(objects, tools.names)),
    version: deployment && versionOf(deployment),
  }
}

async function unlessNotFound(output: Promise<string>): Promise<string | undefined> {
  try {
    return await output
  } catch (error) {
    if (error instanceof Failure && /release: not found/.test(error.message)) return undefined
    throw error
  }
}
