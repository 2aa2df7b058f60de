import type { HelmAndKubectl } from './helmAndKubectl.ts'
import { readPods } from './readPods.ts'

/**
 * What really runs in a Deployment's pods: the digests of each container's image, which a tag does not tell.
 * @returns by the name of the container; several digests where pods differ
 */
export async function readImageDigests(tools: HelmAndKubectl, name: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>()
  for (const { status } of await readPods(tools, name)) {
    for (const { name, imageID } of status?.containerStatuses ?? []) {
      const digest = /sha256:[0-9a-f]+$/.exec(imageID)?.[0]
      if (digest) found.set(name, [...new Set([...(found.get(name) ?? []), digest])].toSorted())
    }
  }
  return found
}
