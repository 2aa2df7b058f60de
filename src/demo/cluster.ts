import { type Role, roles } from '../canary/roles.ts'
import { announced } from './announced.ts'
import { weightsOf } from './changes.ts'
import type { Endpoint, Network } from './demoGateway.ts'
import { Deployment } from './deployment.ts'
import type { Pod, PodEvents } from './pod.ts'
import type { Release, Releases } from './render.ts'
import { Route } from './route.ts'
import { type Command, workload } from './workload.ts'

/** What runs of both releases: their pods, and the network in front of them. */
export class Cluster implements Network {
  readonly #deployments = new Map<Role, Deployment>()
  route: Route | undefined
  #services: Release['Service'][] = []
  /** How many requests each Service got, for its pods to take turns. */
  readonly #turns = new Map<string, number>()
  readonly #events: PodEvents
  readonly #command: Command | undefined

  /** @param command runs in each pod instead of our service */
  constructor(events: PodEvents, command?: Command) {
    this.#events = events
    this.#command = command
  }

  /** Undefined where canary has never been installed. */
  deployment(role: Role): Deployment | undefined {
    return this.#deployments.get(role)
  }

  get pods(): Pod[] {
    return [...this.#deployments.values()].flatMap(({ pods }) => pods)
  }

  /**
   * Makes it so: the network at once, the pods step by step. All or nothing.
   * @throws {import('./mistake.ts').Mistake} when a release has what cannot be run here, and would be missed
   */
  apply(releases: Releases): void {
    const { HTTPRoute } = releases.stable
    const route = HTTPRoute && new Route(announced(HTTPRoute, weightsOf(releases) ?? []))
    const installed = roles.flatMap((role) => releases[role] ?? [])
    const wanted = roles.map((role) => [role, releases[role] && workload(releases[role], this.#command)] as const)

    this.route = route
    this.#services = installed.map(({ Service }) => Service)
    for (const [role, workload] of wanted) {
      const deployment = this.#deployments.get(role)
      if (!workload) deployment?.update({ ...deployment.wanted, replicas: 0 })
      else if (deployment) deployment.update(workload)
      else this.#deployments.set(role, new Deployment(workload, this.#events))
    }
  }

  endpoint(name: string, port: number): Endpoint | 'none' | undefined {
    const { spec } = this.#services.find(({ metadata }) => metadata.name === name) ?? {}
    const { targetPort = port } = spec?.ports?.find((candidate) => candidate.port === port) ?? {}
    if (!spec?.ports?.some((candidate) => candidate.port === port)) return undefined
    const selector = Object.entries(spec.selector ?? {})
    const endpoints = this.pods.filter(
      ({ ready, template: { labels, ports } }) =>
        ready && ports.includes(targetPort) && selector.every(([label, value]) => labels[label] === value),
    )
    const turn = this.#turns.get(name) ?? 0
    this.#turns.set(name, turn + 1)
    return endpoints[turn % endpoints.length] ?? 'none'
  }

  /** Ends all pods at once, for good; those that take longer than `graceMs` are killed. */
  async stop(graceMs: number): Promise<void> {
    await Promise.all([...this.#deployments.values()].map((deployment) => deployment.stop(graceMs)))
  }

  kill(): void {
    for (const pod of this.pods) pod.kill()
  }
}
