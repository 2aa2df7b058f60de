import { describe, expect, it } from 'vitest'
import type { ClusterState } from '../../../src/canary/cluster/clusterState.ts'
import { disagreements, type Facts } from '../../../src/canary/status/disagreements.ts'
import type { Values } from '../../../src/canary/values/values.ts'

const stable = { role: 'stable', traffic: { stable: 90, canary: 10 }, image: { tag: '1' } }
const canary = { role: 'canary', image: { tag: '2' } }
const release = (values: Values) => ({ revision: 3, status: 'deployed', at: 0, values })
const pods = { name: 'd', image: 'devops-api:1', version: 'v1', wanted: 2, ready: 2, isRolledOut: true }
const names = { stable: 'devops-api-stable', canary: 'devops-api-canary' }
const cluster: ClusterState = {
  names,
  releases: { stable: release(stable), canary: release(canary) },
  workloads: { stable: pods, canary: pods },
  services: { stable: true, canary: true },
  serviceNames: names,
  route: { weights: { stable: 90, canary: 10 }, problems: [], otherWriters: [], changed: [], mayHide: [] },
  addresses: [],
  notAddresses: [],
  owner: undefined,
}
const facts: Facts = { declared: { stable, canary }, overlays: [], cluster, observed: { verdict: 'PASS', gates: [] } }
const having = (change: Partial<ClusterState>, rest: Partial<Facts> = {}) =>
  disagreements({ ...facts, cluster: { ...cluster, ...change }, ...rest })

describe('disagreements', () => {
  it('are none where all agrees, with what is laid over the files', () => {
    expect(disagreements(facts)).toEqual([])
    const releases = { stable: release({ ...stable, replicas: 3 }), canary: release({ ...canary, replicas: 5 }) }
    expect(having({ releases }, { overlays: [{ replicas: 3 }] })).toEqual([])
  })

  it.each<[string, Partial<ClusterState>, Partial<Facts>, string[]]>([
    ['a file that is missing', {}, { declared: { stable, canary: 'cannot read it' } }, ['cannot read it']],
    [
      'another controller',
      { owner: { name: 'Flux', instead: 'commit', movesTraffic: false }, services: { stable: true, canary: false } },
      {},
      [
        'Flux owns these objects, and undoes what others do: commit',
        'the Service devops-api-canary is missing, so its share of the requests fails with 500, or goes to the other release: helm upgrade it',
      ],
    ],
    [
      'another controller that leaves no release, and writes the route',
      {
        owner: { name: 'Argo CD', instead: 'commit', movesTraffic: false },
        releases: { stable: undefined, canary: undefined },
        workloads: { stable: pods, canary: { ...pods, ready: 1, isRolledOut: false } },
        route: {
          weights: { stable: 90, canary: 10 },
          problems: [],
          otherWriters: ['argocd-controller'],
          changed: [],
          mayHide: [],
        },
      },
      {},
      [
        'Argo CD owns these objects, and undoes what others do: commit',
        'devops-api-canary is not ready, 1 of 2 pods are: wait, or see kubectl get pods -l app=devops-api-canary',
      ],
    ],
    [
      'another controller that moves traffic, whatever else is there',
      {
        owner: { name: 'Flagger', instead: 'ask it', movesTraffic: true },
        releases: { stable: release(stable), canary: undefined },
        route: undefined,
      },
      { observed: { verdict: 'FAIL', gates: [{ name: 'split', verdict: 'FAIL', reason: 'all wrong' }] } },
      ['Flagger owns these objects, and undoes what others do: ask it'],
    ],
    [
      'an edit that is not applied',
      {},
      { declared: { stable: { ...stable, traffic: { stable: 50, canary: 50 } }, canary } },
      [
        'values-stable.yaml is edited, but not applied (traffic.stable, traffic.canary): helm upgrade devops-api-stable, or take the edit back',
      ],
    ],
    [
      'values that only the release has',
      { releases: { stable: release({ ...stable, replicas: 3 }), canary: release({ ...canary, replicas: 3 }) } },
      {},
      [
        'devops-api-stable was installed with more than values-stable.yaml says (replicas): name the file that has it with --values',
      ],
    ],
    [
      'a release that failed',
      { releases: { stable: { ...release(stable), status: 'failed' }, canary: release(canary) } },
      {},
      ['devops-api-stable is failed, revision 3: helm upgrade it again, or helm rollback it'],
    ],
    [
      'a release that is pending',
      { releases: { stable: { ...release(stable), status: 'pending-upgrade' }, canary: release(canary) } },
      {},
      [
        'devops-api-stable is pending-upgrade, revision 3: a Helm works on it, or has died; the next shift, promote or rollback finds out',
      ],
    ],
    [
      'another controller whose upgrade failed, whose values hold the defaults as well, and whose route was patched',
      {
        owner: { name: 'Flux', instead: 'commit', movesTraffic: false },
        releases: { stable: { ...release({ ...stable, replicas: 2 }), status: 'failed' }, canary: release(canary) },
        route: { weights: { stable: 50, canary: 50 }, problems: [], otherWriters: ['kubectl-patch'], changed: [], mayHide: [] },
      },
      { declared: { stable, canary: { ...canary, replicas: 5 } } },
      [
        'Flux owns these objects, and undoes what others do: commit',
        'devops-api-stable is failed, revision 3: Flux knows why',
        'values-canary.yaml is edited, but not applied (replicas): push it, for Flux to apply, or take the edit back',
        'the route says 50/50, but 90/10 is installed: it was changed by hand by kubectl-patch; Flux puts it back, unless told to leave it alone',
      ],
    ],
    [
      'pods that are not ready',
      { workloads: { stable: pods, canary: { ...pods, ready: 1, isRolledOut: false } } },
      {},
      ['devops-api-canary is not ready, 1 of 2 pods are: wait, or see kubectl get pods -l app=devops-api-canary'],
    ],
    [
      'a Service that is missing',
      { services: { stable: true, canary: false } },
      {},
      [
        'the Service devops-api-canary is missing, so its share of the requests fails with 500, or goes to the other release: helm upgrade it',
      ],
    ],
    [
      'canary not installed, with a share',
      { releases: { stable: release(stable), canary: undefined }, services: { stable: true, canary: false } },
      {},
      [
        'devops-api-canary is not installed: helm upgrade --install it',
        "the route sends canary's share to a Service that is missing, where it fails with 500, or goes to stable: install canary, or shift 100/0",
      ],
    ],
    [
      'a route that is missing',
      { route: undefined },
      {},
      ['there is no HTTPRoute devops-api-stable, so no request comes in: set gateway.enabled for stable, and helm upgrade it'],
    ],
    [
      'a route that is not in force',
      {
        route: {
          weights: { stable: 90, canary: 10 },
          problems: ['it names no Gateway'],
          otherWriters: [],
          changed: [],
          mayHide: [],
        },
      },
      {},
      ['the route is not in force: it names no Gateway'],
    ],
    [
      'a weight changed by hand',
      { route: { weights: { stable: 50, canary: 10 }, problems: [], otherWriters: ['kubectl-patch'], changed: [], mayHide: [] } },
      {},
      [
        'the route says 50/10, but 90/10 is installed: it was changed by hand by kubectl-patch; "shift 90/10" brings back what the file says, "rollback" gives all to stable',
      ],
    ],
    [
      'something else changed by hand',
      { route: { weights: { stable: 90, canary: 10 }, problems: [], otherWriters: ['kubectl-edit'], changed: [], mayHide: [] } },
      {},
      ['kubectl-edit changed the route by hand, where "promote" and Helm 4 will refuse to go on: "shift 90/10" takes it back'],
    ],
    [
      'fields changed by hand',
      {
        route: {
          weights: { stable: 90, canary: 10 },
          problems: [],
          otherWriters: ['kubectl-edit'],
          changed: ['hostnames', 'parentRefs'],
          mayHide: ['not a disagreement'],
        },
      },
      {},
      [
        'kubectl-edit changed the route by hand (hostnames, parentRefs), where "promote" and Helm 4 will refuse to go on: "shift 90/10" takes it back',
      ],
    ],
    [
      'replies that are wrong',
      {},
      {
        observed: {
          verdict: 'FAIL',
          gates: [
            { name: 'availability', verdict: 'INCONCLUSIVE', reason: 'too few' },
            { name: 'split', verdict: 'FAIL', reason: 'all wrong' },
          ],
        },
      },
      ['replies are not as they should be, split: all wrong'],
    ],
    ['nobody to ask', {}, { observed: 'nobody was asked' }, ['nobody was asked']],
  ])('name %s', (_, change, rest, lines) => {
    expect(having(change, rest)).toEqual(lines)
  })

  it('are what is missing, where the cluster is not there', () => {
    expect(disagreements({ ...facts, cluster: 'kubectl get: refused' })).toEqual([
      'the cluster cannot be read: kubectl get: refused',
    ])
  })
})
