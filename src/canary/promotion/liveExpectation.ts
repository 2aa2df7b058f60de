import type { ClusterState } from '../cluster/clusterState.ts'
import { roles } from '../roles.ts'
import type { Weights } from '../values/weights.ts'
import { type Expectation, shares } from '../verdict/expectation.ts'

/** What replies should be like with these weights, by role and by the versions that pods are told to say. */
export const liveExpectation = ({ workloads }: ClusterState, weights: Weights): Expectation =>
  shares(
    roles.map((role) => {
      const version = workloads[role]?.version
      return { role, ...(version !== undefined && { version }), weight: weights[role] }
    }),
  )
