import type { HelmAndKubectl } from './helmAndKubectl.ts'

interface PodObject {
  readonly metadata: { readonly deletionTimestamp?: string }
  readonly status?: { readonly containerStatuses?: readonly { readonly name: string; readonly imageID: string }[] }
}

interface DeploymentObject {
  readonly spec: { readonly selector: { readonly matchLabels?: Readonly<Record<string, string>> } }
}

/**
 * What really runs in a Deployment's pods: the digests of each container's image, which a tag does not tell.
 * @returns by the name of the container; several digests where pods differ
 */
export async function readImageDigests(tools: HelmAndKubectl, name: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const deployment: DeploymentObject = JSON.parse(await tools.kubectl('get', 'deployment', name, '--output', 'json'))
  const labels = Object.entries(deployment.spec.selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`)
  const { items }: { items: PodObject[] } = JSON.parse(
    await tools.kubectl('get', 'pods', '--selector', labels.join(','), '--output', 'json'),
  )
  const found = new Map<string, string[]>()
  for (const { metadata, status } of items) {
    if (metadata.deletionTimestamp !== undefined) continue
    for (const { name, imageID } of status?.containerStatuses ?? []) {
      const digest = /sha256:[0-9a-f]+$/.exec(imageID)?.[0]
      if (digest) found.set(name, [...new Set([...(found.get(name) ?? []), digest])].toSorted())
    }
  }
  return found
}
