import { describe, expect, it } from 'vitest'
import { understandRoute } from '../../../src/canary/cluster/readClusterState.ts'

describe('understandRoute', () => {
  const route = (conditions: object[], change = {}) =>
    understandRoute({
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
    })
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
    expect(understandRoute(twice, ['traefik.io/gateway-controller']).problems).toEqual([])
    expect(understandRoute(twice, ['example.com/other']).problems).toHaveLength(2)
    expect(understandRoute(twice, ['example.com/third']).problems).toEqual(['no controller has taken it for Gateway g'])
  })

  it('counts all where the class is not known', () => {
    expect(understandRoute(twice, [undefined]).problems).toHaveLength(2)
  })
})
