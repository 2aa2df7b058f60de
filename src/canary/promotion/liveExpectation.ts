import type { ClusterState, Workload } from '../cluster/clusterState.ts'
import { roles } from '../roles.ts'
import type { RoleFrom } from '../sampling/roleFrom.ts'
import type { Weights } from '../values/weights.ts'
import { type Expectation, shares } from '../verdict/expectation.ts'

/**
 * What replies should be like with these weights, by role and by the versions that pods are told to say, or else, where the version tells
 * the role, by the tags of their images.
 */
export const liveExpectation = ({ workloads }: ClusterState, weights: Weights, roleFrom?: RoleFrom): Expectation =>
  shares(
    roles.map((role) => {
      const pods = workloads[role]
      const version = pods?.version ?? (roleFrom?.text === 'version' ? tagOf(pods) : undefined)
      return { role, ...(version !== undefined && { version }), weight: weights[role] }
    }),
  )

const tagOf = (pods: Workload | undefined) => /:([\w.-]+)(?:@.*)?$/.exec(pods?.image ?? '')?.[1]
