import type { HelmAndKubectl } from '../cluster/helmAndKubectl.ts'
import { parseManifest } from '../cluster/parseManifest.ts'
import { readImageDigests } from '../cluster/readImageDigests.ts'
import { type InstalledRevision, readComputedValues, readInstalled, readStoredChart } from '../cluster/releaseRecord.ts'
import { Failure } from '../errors.ts'
import type { Role } from '../roles.ts'
import type { Given } from '../values/podValues.ts'
import { deploymentOf, type PodTemplate } from './manifest.ts'

/** What a promotion takes from canary to stable: how its pods are made, and what they run. */
export interface Carried {
  readonly revision: InstalledRevision
  readonly given: Given
  readonly pods: PodTemplate
  readonly digests: ReadonlyMap<string, readonly string[]>
}

/** Reads what canary is. */
export async function readCarried(tools: HelmAndKubectl): Promise<Carried> {
  const release = tools.names.canary
  const revision = await readInstalled(tools, 'canary')
  if (!revision) throw new Failure(`${release} is not installed: there is nothing to promote`)
  const deployment = deploymentOf(parseManifest(revision.manifest), release)
  if (!deployment) throw new Failure(`${release} has no Deployment: there is nothing to promote`)
  const { metadata, spec } = deployment
  const [given, digests] = await Promise.all([readGiven(tools, revision), readImageDigests(tools, metadata.name)])
  return { revision, given, pods: spec.template, digests }
}

/** What a revision of canary has for stable. */
export async function readGiven(tools: HelmAndKubectl, { revision, values }: InstalledRevision): Promise<Given> {
  return { values, computed: await readComputedValues(tools, 'canary', revision) }
}

/** Whether what was judged is what there is now. */
export const isSameCarried = (a: Carried, b: Carried): boolean => identityOf(a) === identityOf(b)

const identityOf = ({ pods, digests }: Carried) => JSON.stringify([pods, [...digests].toSorted(([a], [b]) => (a < b ? -1 : 1))])

/**
 * Where pods of stable run another image than canary's, under the same name or not.
 * @returns a text for the first such container; undefined where all are the same
 */
export function otherImage(
  canary: ReadonlyMap<string, readonly string[]>,
  stable: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  for (const [container, judged] of canary) {
    const own = stable.get(container)
    if (own && own.join() !== judged.join())
      return `${container} is ${own.join(' and ')} in stable, ${judged.join(' and ')} in canary`
  }
  return undefined
}

/** The chart that a release was installed from, such as "devops-api-1.1.1"; undefined where Helm's records do not tell. */
export async function readChartName(tools: HelmAndKubectl, role: Role, revision: number): Promise<string | undefined> {
  try {
    const { name, version } = (await readStoredChart(tools, role, revision)).metadata
    return `${name}-${version}`
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}
