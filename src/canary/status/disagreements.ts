import type { ClusterState, Revision } from '../cluster/clusterState.ts'
import type { Owner } from '../cluster/owner.ts'
import { type Role, roles } from '../roles.ts'
import { differences } from '../values/differences.ts'
import type { Values } from '../values/values.ts'
import { showWeights, weightsOf } from '../values/weights.ts'
import type { Judgement } from '../verdict/gate.ts'

/** What is known; a text says why a part is not. */
export interface Facts {
  readonly declared: { readonly stable: Values | string; readonly canary: Values | string }
  /** What is laid over stable's file. */
  readonly overlays: readonly Values[]
  readonly cluster: ClusterState | string
  readonly observed: Judgement | string
}

/** Where what is declared, installed, live and observed do not agree: a line each, with what to do about it. */
export function disagreements({ declared, overlays, cluster, observed }: Facts): string[] {
  const files = roles.flatMap((role) => (typeof declared[role] === 'string' ? [declared[role]] : []))
  if (typeof cluster === 'string') return [...files, `the cluster cannot be read: ${cluster}`]
  const { owner } = cluster
  const owned = owner ? [`${owner.name} owns these objects, and undoes what others do: ${owner.instead}`] : []
  if (owner?.movesTraffic) return [...files, ...owned]
  return [
    ...files,
    ...owned,
    ...roles.flatMap((role) => releaseLines(role, declared[role], overlays, cluster)),
    ...routeLines(declared.stable, cluster),
    ...observedLines(observed),
  ]
}

function releaseLines(
  role: Role,
  declared: Values | string,
  overlays: readonly Values[],
  { names, releases, workloads, services, serviceNames, owner }: ClusterState,
): string[] {
  const name = names[role]
  const release = releases[role]
  // Argo CD applies what Helm renders, and leaves no release.
  if (!release && !owner) return [`${name} is not installed: helm upgrade --install it`]
  const pods = workloads[role]
  return [
    ...(release ? statusLines(name, release, owner) : []),
    ...(release && typeof declared !== 'string' ? editLines(role, name, declared, overlays, release.values, owner) : []),
    ...(services[role]
      ? []
      : [
          `the Service ${serviceNames[role]} is missing, so its share of the requests fails with 500, or goes to the other release: helm upgrade it`,
        ]),
    ...(pods?.isRolledOut
      ? []
      : [
          `${name} is not ready, ${pods?.ready ?? 0} of ${pods?.wanted ?? 0} pods are: wait, or see kubectl get pods -l app=${name}`,
        ]),
  ]
}

function statusLines(name: string, { status, revision }: Revision, owner: Owner | undefined): string[] {
  if (status === 'deployed') return []
  if (owner) return [`${name} is ${status}, revision ${revision}: ${owner.name} knows why`]
  if (status.startsWith('pending'))
    return [
      `${name} is ${status}, revision ${revision}: a Helm works on it, or has died; the next shift, promote or rollback finds out`,
    ]
  return [`${name} is ${status}, revision ${revision}: helm upgrade it again, or helm rollback it`]
}

function editLines(
  role: Role,
  name: string,
  declared: Values,
  overlays: readonly Values[],
  installed: Values,
  owner: Owner | undefined,
): string[] {
  const { edited, lacking } = differences(role === 'stable' ? [declared, ...overlays] : [declared], installed)
  const file = `values-${role}.yaml`
  const lines: string[] = []
  if (edited.length > 0)
    lines.push(
      `${file} is edited, but not applied (${edited.join(', ')}): ${owner ? `push it, for ${owner.name} to apply` : `helm upgrade ${name}`}, or take the edit back`,
    )
  // Canary is never upgraded from here, nor is stable where another controller does it, so what was laid over the file cannot get lost.
  if (role === 'stable' && !owner && lacking.length > 0)
    lines.push(
      `${name} was installed with more than ${file} says (${lacking.join(', ')}): name the file that has it with --values`,
    )
  return lines
}

function routeLines(declared: Values | string, { names, route, releases, services, owner }: ClusterState): string[] {
  if (!route)
    return [`there is no HTTPRoute ${names.stable}, so no request comes in: set gateway.enabled for stable, and helm upgrade it`]
  const live = showWeights(route.weights)
  const applied = releases.stable && showWeights(weightsOf(releases.stable.values))
  const lines = route.problems.map((problem) => `the route is not in force: ${problem}`)
  if (route.weights.canary > 0 && !services.canary && !releases.canary)
    lines.push(
      `the route sends canary's share to a Service that is missing, where it fails with 500, or goes to stable: install canary, or shift 100/0`,
    )
  if (applied !== undefined && applied !== live) {
    const who = route.otherWriters.length > 0 ? ` by ${route.otherWriters.join(' and ')}` : ''
    const shift =
      typeof declared === 'string' ? '' : `"shift ${showWeights(weightsOf(declared))}" brings back what the file says, `
    const instead = owner ? `${owner.name} puts it back, unless told to leave it alone` : `${shift}"rollback" gives all to stable`
    lines.push(`the route says ${live}, but ${applied} is installed: it was changed by hand${who}; ${instead}`)
  } else if (route.otherWriters.length > 0 && !owner)
    lines.push(
      `${route.otherWriters.join(' and ')} changed the route by hand${route.changed.length > 0 ? ` (${route.changed.join(', ')})` : ''}, where "promote" and Helm 4 will refuse to go on: "shift ${live}" takes it back`,
    )
  return lines
}

function observedLines(observed: Judgement | string): string[] {
  if (typeof observed === 'string') return [observed]
  return observed.gates
    .filter(({ verdict }) => verdict === 'FAIL')
    .map(({ name, reason }) => `replies are not as they should be, ${name}: ${reason}`)
}
