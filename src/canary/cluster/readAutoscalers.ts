import { Failure } from '../errors.ts'
import { type Role, roles } from '../roles.ts'
import type { Workload } from './clusterState.ts'
import type { HelmAndKubectl } from './helmAndKubectl.ts'

/** What a HorizontalPodAutoscaler knows of the pods of a release. */
export interface Autoscaler {
  /**
   * The present load, as the number of pods that it would put to the use aimed at; a text says why it is not known.
   */
  readonly load: number | string
  readonly most: number
}

interface Metric {
  type: string
  resource?: { name: string; target?: Value; current?: Value }
}

interface Value {
  averageUtilization?: number
}

interface AutoscalerObject {
  spec: { scaleTargetRef: { kind: string; name: string }; maxReplicas: number; metrics?: Metric[] }
  status?: {
    currentReplicas?: number
    currentMetrics?: Metric[] | null
    conditions?: { type: string; status: string; message?: string }[]
  }
}

/**
 * Which releases have an autoscaler, and what it has measured last.
 * @returns a text where autoscalers cannot be read
 */
export async function readAutoscalers(
  tools: HelmAndKubectl,
  workloads: Readonly<Record<Role, Workload | undefined>>,
): Promise<Partial<Record<Role, Autoscaler>> | string> {
  try {
    const text = await tools.kubectl('get', 'horizontalpodautoscalers.v2.autoscaling', '--output', 'json')
    const { items } = JSON.parse(text) as { items: AutoscalerObject[] }
    return Object.fromEntries(
      roles.flatMap((role) => {
        const name = workloads[role]?.name
        const found = items.find(({ spec: { scaleTargetRef: target } }) => target.kind === 'Deployment' && target.name === name)
        return found ? [[role, { load: loadOf(found), most: found.spec.maxReplicas }]] : []
      }),
    )
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return error.message
  }
}

function loadOf({ spec, status = {} }: AutoscalerObject): number | string {
  const { currentReplicas = 0, currentMetrics, conditions = [] } = status
  const inactive = conditions.find(({ type, status }) => type === 'ScalingActive' && status === 'False')
  if (inactive) return inactive.message || 'it is not active'
  const uses = (spec.metrics ?? []).flatMap(({ type, resource }) => {
    const target = resource?.target?.averageUtilization
    const found = currentMetrics?.find((metric) => metric.type === type && metric.resource?.name === resource?.name)
    const current = found?.resource?.current?.averageUtilization
    return target === undefined || current === undefined ? [] : current / target
  })
  return uses.length === 0 ? 'it has measured no utilization' : currentReplicas * Math.max(...uses)
}
