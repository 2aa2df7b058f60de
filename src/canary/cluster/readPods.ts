import type { HelmAndKubectl } from './helmAndKubectl.ts'

/** How a container is, or was before it was started again; one of them. */
interface ContainerState {
  readonly waiting?: { readonly reason?: string }
  readonly terminated?: { readonly reason?: string; readonly exitCode: number }
}

export interface PodObject {
  readonly status?: {
    readonly containerStatuses?: readonly {
      readonly name: string
      readonly imageID: string
      readonly restartCount: number
      readonly state?: ContainerState
      readonly lastState?: ContainerState
    }[]
  }
}

interface DeploymentObject {
  readonly spec: { readonly selector: { readonly matchLabels?: Readonly<Record<string, string>> } }
}

/** The pods of a Deployment, but for those that are on their way out. */
export async function readPods(tools: HelmAndKubectl, name: string): Promise<PodObject[]> {
  const deployment: DeploymentObject = JSON.parse(await tools.kubectl('get', 'deployment', name, '--output', 'json'))
  const labels = Object.entries(deployment.spec.selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`)
  const { items }: { items: (PodObject & { metadata: { deletionTimestamp?: string } })[] } = JSON.parse(
    await tools.kubectl('get', 'pods', '--selector', labels.join(','), '--output', 'json'),
  )
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}
