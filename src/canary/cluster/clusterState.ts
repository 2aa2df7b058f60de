import type { ReleaseNames, Role } from '../roles.ts'
import type { Values } from '../values/values.ts'
import type { Weights } from '../values/weights.ts'
import type { Owner } from './owner.ts'

/** A revision of a release, as Helm has it. */
export interface Revision {
  readonly revision: number
  /** Helm's word, such as "deployed", "failed" or "pending-upgrade". */
  readonly status: string
  /** In milliseconds since 1970. */
  readonly at: number
  readonly values: Values
}

/** What runs of a release. */
export interface Workload {
  /** Of its Deployment. */
  readonly name: string
  readonly image: string
  /** Undefined where its pods are told none. */
  readonly version: string | undefined
  readonly wanted: number
  readonly ready: number
  /** Every pod is of the newest template and ready, and no other is left. */
  readonly isRolledOut: boolean
}

export interface Route {
  readonly weights: Weights
  /** What keeps a gateway from doing as the route says, one line each. */
  readonly problems: readonly string[]
  /** Who has written it by hand. */
  readonly otherWriters: readonly string[]
  /** Fields of its spec that are not as its release has them, such as "hostnames"; none while an upgrade is unfinished. */
  readonly changed: readonly string[]
  /** What may hide errors of a version, such as retries, one line each. */
  readonly mayHide: readonly string[]
}

/** Where a gateway can be asked, according to its status. */
export interface Address {
  readonly url: URL
  /** A name that both the listener and the route answer to; undefined where any will do. */
  readonly host: string | undefined
}

/** What there is in the cluster; any part may be missing. */
export interface ClusterState {
  readonly names: ReleaseNames
  readonly releases: Readonly<Record<Role, Revision | undefined>>
  readonly workloads: Readonly<Record<Role, Workload | undefined>>
  readonly services: Readonly<Record<Role, boolean>>
  /** What the route calls them. */
  readonly serviceNames: Readonly<Record<Role, string>>
  readonly route: Route | undefined
  /** The best first. */
  readonly addresses: readonly Address[]
  /** Why the gateway cannot be asked at other places, one line each. */
  readonly notAddresses: readonly string[]
  readonly owner: Owner | undefined
}
