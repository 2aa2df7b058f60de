import type { ClusterState } from '../cluster/clusterState.ts'
import type { Autoscaler } from '../cluster/readAutoscalers.ts'
import { count, percent } from '../format.ts'
import { type Role, roles } from '../roles.ts'
import type { Weights } from '../values/weights.ts'

/** An autoscaler takes a use within a tenth of its aim for right. */
const TOLERANCE = 0.1

export type Capacity =
  /** Whoever gets more has the pods for it. */
  | { readonly kind: 'enough' }
  | { readonly kind: 'short'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string }

const ENOUGH: Capacity = { kind: 'enough' }

const shareOf = (weights: Weights, role: Role): number => {
  const sum = weights.stable + weights.canary
  return sum === 0 ? 0 : weights[role] / sum
}

/**
 * Whether the release that a move of weights gives more has the ready pods that its share of the present load needs. The load is what
 * autoscalers measure: where those that serve have none, how many pods there are is up to people.
 * @param autoscalers a text where they cannot be read
 */
export function capacity(
  { workloads, route, names }: Pick<ClusterState, 'workloads' | 'route' | 'names'>,
  autoscalers: Partial<Record<Role, Autoscaler>> | string,
  weights: Weights,
): Capacity {
  const live = route?.weights
  const receiver = live && roles.find((role) => shareOf(weights, role) > shareOf(live, role))
  if (!receiver) return ENOUGH
  const unknown = (why: string): Capacity => ({
    kind: 'unknown',
    why: `Whether ${receiver} has enough pods for its share is not known: ${why}`,
  })
  if (typeof autoscalers === 'string') return unknown(autoscalers)
  const serving = roles.filter((role) => live[role] > 0 && autoscalers[role])
  if (serving.length === 0) return ENOUGH
  let load = 0
  for (const role of serving) {
    const { load: known = 0 } = autoscalers[role] ?? {}
    if (typeof known === 'string') return unknown(`the autoscaler of ${names[role]} says: ${known}`)
    load += known
  }
  const ready = workloads[receiver]?.ready ?? 0
  const share = shareOf(weights, receiver)
  const all = load / serving.reduce((sum, role) => sum + shareOf(live, role), 0)
  // More than serve it now are not asked for, where even those are too few.
  const serve = roles.reduce((sum, role) => sum + (live[role] > 0 ? (workloads[role]?.ready ?? 0) : 0), 0)
  const needed = Math.min(Math.ceil((all * share) / (1 + TOLERANCE)), serve)
  if (ready >= needed) return ENOUGH
  const most = autoscalers[receiver]?.most
  const remedy =
    most === undefined
      ? `set its replicas to ${needed}`
      : `set its autoscaling.minReplicas to ${needed}${most < needed ? `, and maxReplicas to more than ${most}` : ''}`
  return {
    kind: 'short',
    why: `${names[receiver]} has ${count(ready, 'ready pod')}, and ${percent(share)} of the present load needs ${needed}: ${remedy}, and helm upgrade it`,
  }
}
