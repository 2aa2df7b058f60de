import type { Workload } from './workload.ts'

/** What of a pod decides its fate. */
export interface PodState {
  readonly template: { readonly hash: string }
  readonly ready: boolean
  readonly stopping: boolean
}

/** The next step from the pods there are, oldest first, to those wanted. Nothing to start and nothing to stop: there. */
export interface Step<P> {
  readonly start: number
  readonly stop: readonly P[]
}

/**
 * Decides like the Deployment controller: starts new pods as far as `maxSurge` allows, and stops old ones, those that are not
 * ready first, as far as enough stay ready. It looks at nothing but the present, so it may be asked again after every event.
 */
export function nextStep<P extends PodState>(
  { replicas, maxSurge, maxUnavailable, template }: Wanted,
  pods: readonly P[],
): Step<P> {
  const active = pods.filter(({ stopping }) => !stopping)
  const isNew = (pod: P) => pod.template.hash === template.hash
  const fresh = active.filter(isNew)
  const old = active.filter((pod) => !isNew(pod))

  const start = Math.max(0, Math.min(replicas - fresh.length, replicas + maxSurge - active.length))
  const surplus = Math.max(0, fresh.length - replicas)
  const excess = [...fresh].reverse().sort(unreadyFirst).slice(0, surplus)

  const ready = active.filter((pod) => pod.ready).length
  const mayGo = Math.max(0, ready - (replicas - maxUnavailable))
  const outdated = [...old.filter((pod) => !pod.ready), ...old.filter((pod) => pod.ready).slice(0, mayGo)]
  return { start, stop: [...excess, ...outdated] }
}

type Wanted = Pick<Workload, 'replicas' | 'maxSurge' | 'maxUnavailable'> & { readonly template: { readonly hash: string } }

const unreadyFirst = (a: PodState, b: PodState) => Number(a.ready) - Number(b.ready)
