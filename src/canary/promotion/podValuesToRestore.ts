import type { Revision } from '../cluster/clusterState.ts'
import { type PodValues, samePodValues } from '../values/podValues.ts'
import type { Values } from '../values/values.ts'
import { weightsOf } from '../values/weights.ts'

/**
 * What stable ran before a promotion that is not finished gave it what canary runs; undefined where there is nothing to restore.
 * It is finished once stable serves again: then the new version is stable's own.
 * @param declared what values-stable.yaml says
 * @param revisions of stable, the newest first
 */
export function podValuesToRestore(canary: PodValues, declared: Values, revisions: readonly Revision[]): PodValues | undefined {
  const [newest] = revisions
  if (!newest) return undefined
  if (!samePodValues(newest.values, canary)) return samePodValues(declared, canary) ? newest.values : undefined
  const serving = revisions.findIndex(({ values }) => weightsOf(values).stable > 0)
  const before = revisions.findIndex(({ values }) => !samePodValues(values, canary))
  // Stable is given canary's values only while it serves nothing.
  return before !== -1 && (serving === -1 || before <= serving) ? revisions[before]?.values : undefined
}
