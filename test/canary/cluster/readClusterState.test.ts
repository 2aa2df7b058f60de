import { describe, expect, it } from 'vitest'
import type { HelmAndKubectl } from '../../../src/canary/cluster/helmAndKubectl.ts'
import { isStablesService, readClusterState, understandRoute } from '../../../src/canary/cluster/readClusterState.ts'
import { Failure } from '../../../src/canary/errors.ts'

const names = { stable: 'devops-api-stable', canary: 'devops-api-canary' }
const isStables = isStablesService([], names)

describe('understandRoute', () => {
  const route = (conditions: object[], change = {}) =>
    understandRoute(
      {
        kind: 'HTTPRoute',
        metadata: { name: 'devops-api-stable', namespace: 'n', generation: 4 },
        spec: {
          parentRefs: [{ name: 'g' }],
          rules: [
            { backendRefs: [{ name: 'devops-api-stable', weight: 90 }, { name: 'devops-api-canary' }] },
            { backendRefs: [{ name: 'devops-api-canary', weight: 5 }] },
          ],
          ...change,
        },
        status: { parents: [{ controllerName: 'c', parentRef: { name: 'g', namespace: 'n' }, conditions: conditions as never }] },
      },
      isStables,
    )
  const yes = (type: string, observedGeneration = 4) => ({ type, status: 'True', reason: type, observedGeneration })

  it('has the weights of the split, where none is 1', () => {
    expect(route([yes('Accepted'), yes('ResolvedRefs')])).toEqual({
      weights: { stable: 90, canary: 1 },
      problems: [],
      otherWriters: [],
    })
  })

  it.each([
    [[yes('Accepted')], {}, 'Gateway g does not say whether it is ResolvedRefs'],
    [
      [yes('Accepted'), yes('ResolvedRefs', 3)],
      {},
      'Gateway g has not followed yet (ResolvedRefs is of generation 3, the route of 4)',
    ],
    [
      [yes('Accepted'), { ...yes('ResolvedRefs'), status: 'False', reason: 'BackendNotFound', message: 'no such\nService' }],
      {},
      'ResolvedRefs is False on Gateway g: BackendNotFound, no such',
    ],
    [[], { parentRefs: [{ name: 'other' }] }, 'no controller has taken it for Gateway other'],
    [[], { parentRefs: [] }, 'it names no Gateway'],
  ])('knows what is wrong', (conditions, change, problem) => {
    expect(route(conditions, change).problems).toContain(problem)
  })

  const parent = (controllerName: string, status: string) => ({
    controllerName,
    parentRef: { name: 'g', namespace: 'n' },
    conditions: ['Accepted', 'ResolvedRefs'].map((type) => ({ ...yes(type), status })),
  })
  const twice = {
    kind: 'HTTPRoute' as const,
    metadata: { name: 'devops-api-stable', namespace: 'n', generation: 4 },
    spec: { parentRefs: [{ name: 'g' }] },
    status: { parents: [parent('traefik.io/gateway-controller', 'True'), parent('example.com/other', 'False')] as never },
  }

  it("counts what the controller of the Gateway's class says, and no other", () => {
    expect(understandRoute(twice, isStables, ['traefik.io/gateway-controller']).problems).toEqual([])
    expect(understandRoute(twice, isStables, ['example.com/other']).problems).toHaveLength(2)
    expect(understandRoute(twice, isStables, ['example.com/third']).problems).toEqual([
      'no controller has taken it for Gateway g',
    ])
  })

  it('counts all where the class is not known', () => {
    expect(understandRoute(twice, isStables, [undefined]).problems).toHaveLength(2)
  })
})

describe('readClusterState', () => {
  const gateway = {
    spec: {
      gatewayClassName: 'c',
      listeners: [{ name: 'web', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } }],
    },
    status: { addresses: [{ value: '10.0.0.1' }] },
  }
  const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({ type, status: 'True', reason: type }))

  function reading(parentRef: object, answers: Record<string, object | string>, stable?: { manifest: string }) {
    const route = {
      kind: 'HTTPRoute',
      metadata: { name: 'devops-api-stable', namespace: 'n' },
      spec: { parentRefs: [parentRef], hostnames: ['a.example'] },
      status: {
        parents: [
          { controllerName: 'ours', parentRef, conditions },
          { controllerName: 'another', parentRef, conditions: conditions.map((entry) => ({ ...entry, status: 'False' })) },
        ],
      },
    }
    const asked: string[] = []
    const all = { deployments: { items: [] }, httproutes: { items: [route] }, ...answers }
    const tools = {
      names,
      async helm(...args: string[]) {
        if (stable && args.includes('devops-api-stable'))
          return JSON.stringify(args[0] === 'status' ? stable : { role: 'stable', replicas: 2 })
        throw new Failure('helm status: release: not found')
      },
      async kubectl(...args: string[]) {
        asked.push(args.join(' '))
        const [, answer] = Object.entries(all).find(([kind]) => args[1]?.startsWith(kind)) ?? []
        if (typeof answer === 'object') return JSON.stringify(answer)
        throw new Failure(`kubectl get ${args[1]}: ${answer}`)
      },
    }
    return { asked, state: readClusterState(tools as unknown as HelmAndKubectl) }
  }

  it('knows where to ask, and which controller counts', async () => {
    const { state, asked } = reading(
      { name: 'g', namespace: 'gateways' },
      { gateways: gateway, gatewayclasses: { spec: { controllerName: 'ours' } } },
    )
    const { addresses, notAddresses, route } = await state
    expect(addresses.map(({ url, host }) => [url.href, host])).toEqual([['http://10.0.0.1/', 'a.example']])
    expect(notAddresses).toEqual([])
    expect(route?.problems).toEqual([])
    expect(asked).toContain('get gateways.gateway.networking.k8s.io g --namespace gateways --output json')
  })

  it('knows which fields of the route are not as installed, unless an upgrade is under way', async () => {
    const manifest = (spec: object) =>
      JSON.stringify({ kind: 'HTTPRoute', metadata: { name: 'devops-api-stable' }, spec: { hostnames: ['a.example'], ...spec } })
    const changed = async (spec: object, status: string) => {
      const info = { status, last_deployed: '2026-01-01T00:00:00Z' }
      const helm = { version: 1, config: {}, info, manifest: manifest(spec) }
      return (await reading({ name: 'g' }, { gateways: gateway }, helm).state).route?.changed
    }
    expect(await changed({ parentRefs: [{ name: 'g' }] }, 'deployed')).toEqual([])
    expect(await changed({ parentRefs: [{ name: 'other' }], rules: [] }, 'deployed')).toEqual(['parentRefs', 'rules'])
    expect(await changed({ rules: [] }, 'failed')).toEqual(['rules'])
    expect(await changed({ rules: [] }, 'pending-upgrade')).toEqual([])
  })

  it.each([
    ['what was given', {}, { replicas: 3 }, { replicas: 3 }],
    ['nothing', {}, undefined, {}],
    ['what was given beside Flux', { 'helm.toolkit.fluxcd.io/name': 'x' }, { replicas: 3 }, { replicas: 3 }],
    ['what Flux packed into the chart', { 'helm.toolkit.fluxcd.io/name': 'x' }, undefined, { role: 'stable', replicas: 2 }],
  ])('takes %s for the values of a release', async (_, labels, config, values) => {
    const service = { kind: 'Service', metadata: { name: 'devops-api-stable', labels } }
    const info = { status: 'deployed', last_deployed: '2026-01-01T00:00:00Z' }
    const helm = { version: 1, config, info, manifest: '' }
    const { state } = reading({ name: 'g' }, { gateways: gateway, deployments: { items: [service] } }, helm)
    expect((await state).releases.stable?.values).toEqual(values)
  })

  it('does without what nobody lets it read, and says why', async () => {
    const withoutClass = await reading({ name: 'g' }, { gateways: gateway, gatewayclasses: 'forbidden' }).state
    expect(withoutClass.addresses.map(({ url, host }) => [url.href, host])).toEqual([['http://10.0.0.1/', 'a.example']])
    expect(withoutClass.route?.problems).toHaveLength(2)
    const withoutGateway = await reading({ name: 'g' }, { gateways: 'forbidden' }).state
    expect([withoutGateway.addresses, withoutGateway.notAddresses]).toEqual([
      [],
      ['kubectl get gateways.gateway.networking.k8s.io: forbidden'],
    ])
  })

  it.each([
    [{ name: 'g', group: 'networking.istio.io' }, 'Gateway.networking.istio.io g'],
    [{ name: 's', group: '', kind: 'Service' }, 'Service s'],
    [{ name: 'l', kind: 'ListenerSet' }, 'ListenerSet l'],
  ])('takes no other parent for a Gateway: %j', async (parentRef, what) => {
    const { state, asked } = reading(parentRef, { gateways: gateway })
    expect((await state).notAddresses).toEqual([`the route belongs to ${what}, which is no Gateway of the Gateway API`])
    expect(asked).toHaveLength(2)
  })
})
