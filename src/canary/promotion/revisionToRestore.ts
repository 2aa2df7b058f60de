import type { Revision } from '../cluster/clusterState.ts'
import { weightsOf } from '../values/weights.ts'

/**
 * The revision of stable from before a promotion that is not finished gave it what canary runs; undefined where there is nothing to
 * restore. It is finished once stable serves again: then the new version is stable's own.
 * @param revisions of stable, the newest first
 * @param isCanarys whether the pods of a revision are as canary's
 */
export function revisionToRestore<R extends Revision>(
  revisions: readonly R[],
  isCanarys: (revision: R) => boolean,
): R | undefined {
  const [newest] = revisions
  if (!newest || !isCanarys(newest)) return undefined
  const serving = revisions.findIndex(({ values }) => weightsOf(values).stable > 0)
  const before = revisions.findIndex((revision) => !isCanarys(revision))
  // Stable is given what canary runs only while it serves nothing.
  return before !== -1 && (serving === -1 || before <= serving) ? revisions[before] : undefined
}
