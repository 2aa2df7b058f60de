import type { ClusterState, Revision, Workload } from '../cluster/clusterState.ts'
import type { Restarts } from '../cluster/readRestarts.ts'
import { checkOutput } from '../output/checkOutput.ts'
import type { StatusOutput } from '../output/outputs.ts'
import { withPath } from '../sampling/withPath.ts'
import type { Status } from './statusText.ts'

/** Where things stand, as --json prints it. */
export function statusOutput({ declared, annotations, path, cluster, restarts, observed, disagreements }: Status): StatusOutput {
  return {
    declared: { stable: known(declared.stable), canary: known(declared.canary) },
    annotations: { ...annotations },
    cluster: typeof cluster === 'string' ? null : clusterOutput(cluster, restarts, path),
    observed: typeof observed === 'string' ? null : checkOutput(observed),
    unknown: {
      declared: { stable: why(declared.stable), canary: why(declared.canary) },
      cluster: why(cluster),
      observed: why(observed),
    },
    disagreements: [...disagreements],
  }
}

const why = (part: unknown) => (typeof part === 'string' ? part : null)
const known = <T extends object>(part: T | string) => (typeof part === 'string' ? null : { ...part })

function clusterOutput(
  { releases, workloads, services, route, addresses, notAddresses, owner }: ClusterState,
  restarts: Status['restarts'],
  path: string,
): StatusOutput['cluster'] {
  return {
    releases: { stable: installed(releases.stable), canary: installed(releases.canary) },
    workloads: {
      stable: workload(workloads.stable, restarts.stable),
      canary: workload(workloads.canary, restarts.canary),
    },
    services: { stable: services.stable, canary: services.canary },
    route: route
      ? {
          weights: { ...route.weights },
          problems: [...route.problems],
          otherWriters: [...route.otherWriters],
          changed: [...route.changed],
          mayHide: [...route.mayHide],
        }
      : null,
    addresses: addresses.map(({ url, host = null }) => ({ url: withPath(url, path).href, host })),
    notAddresses: [...notAddresses],
    owner: owner ? { name: owner.name, instead: owner.instead, movesTraffic: owner.movesTraffic } : null,
  }
}

const installed = (revision: Revision | undefined) =>
  revision
    ? {
        revision: revision.revision,
        status: revision.status,
        at: new Date(revision.at).toISOString(),
        values: { ...revision.values },
      }
    : null

const workload = (found: Workload | undefined, restarts: Restarts | string) =>
  found
    ? {
        image: found.image,
        version: found.version ?? null,
        wanted: found.wanted,
        ready: found.ready,
        isRolledOut: found.isRolledOut,
        restarts: typeof restarts === 'string' ? null : { count: restarts.count, reasons: [...restarts.reasons] },
      }
    : null
