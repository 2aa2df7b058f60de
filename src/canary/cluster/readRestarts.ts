import type { HelmAndKubectl } from './helmAndKubectl.ts'
import { readPods } from './readPods.ts'

/** How often containers of a Deployment's pods were started again. */
export interface Restarts {
  readonly count: number
  /** Why, as far as it is known, such as "OOMKilled" or "exit code 1"; and "CrashLoopBackOff" where one waits for the next time. */
  readonly reasons: readonly string[]
}

/** The restarts of the pods that a Deployment has now. */
export async function readRestarts(tools: HelmAndKubectl, name: string): Promise<Restarts> {
  const containers = (await readPods(tools, name)).flatMap(({ status }) => status?.containerStatuses ?? [])
  const reasons = containers.flatMap(({ state, lastState }) => {
    const { reason, exitCode } = lastState?.terminated ?? {}
    const end = reason === 'Error' ? `exit code ${exitCode}` : reason
    return [end, state?.waiting?.reason === 'CrashLoopBackOff' ? state.waiting.reason : undefined]
  })
  return {
    count: containers.reduce((sum, { restartCount }) => sum + restartCount, 0),
    reasons: [...new Set(reasons)].filter((reason) => reason !== undefined),
  }
}
