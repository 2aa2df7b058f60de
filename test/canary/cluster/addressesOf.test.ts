import { describe, expect, it } from 'vitest'
import { addressesOf, type GatewayObject, type ParentRef, sharedHostnames } from '../../../src/canary/cluster/addressesOf.ts'

type Listener = GatewayObject['spec']['listeners'][number]

const http: Listener = { name: 'web', port: 8000, protocol: 'HTTP' }
const https: Listener = { name: 'secure', port: 8443, protocol: 'HTTPS' }

function asked(
  listeners: Listener[],
  {
    hostnames = ['a.example'],
    addresses = ['10.0.0.1'],
    parent = {},
    namespace = 'n',
    conditions = {},
  }: Partial<{
    hostnames: string[]
    addresses: (string | { type: string; value: string })[]
    parent: Partial<ParentRef>
    namespace: string
    conditions: Record<string, object[]>
  }> = {},
) {
  const gateway: GatewayObject = {
    spec: { gatewayClassName: 'c', listeners },
    status: {
      addresses: addresses.map((address) => (typeof address === 'string' ? { value: address } : address)),
      listeners: Object.entries(conditions).map(([name, conditions]) => ({
        name,
        attachedRoutes: 0,
        conditions: conditions as never,
      })),
    },
  }
  const { addresses: found, reasons } = addressesOf({ namespace, hostnames }, { name: 'g', ...parent }, gateway)
  return { at: found.map(({ url, host }) => `${url.href} ${host}`), reasons }
}

describe('a Gateway is asked', () => {
  it('at its address, as the host name of the route', () => {
    expect(asked([http])).toEqual({ at: ['http://10.0.0.1:8000/ a.example'], reasons: [] })
  })

  it('at all of its addresses: IPv4, IPv6, host names', () => {
    expect(asked([http], { addresses: ['10.0.0.1', 'fd00::1', 'g.istio-system.svc.cluster.local'] }).at).toEqual([
      'http://10.0.0.1:8000/ a.example',
      'http://[fd00::1]:8000/ a.example',
      'http://g.istio-system.svc.cluster.local:8000/ a.example',
    ])
  })

  it.each([
    ['example.com/pool', 'pool 7'],
    ['NamedAddress', 'internal/gateway'],
  ])('not at an address that is no IP address or host name, but a %s', (type, value) => {
    expect(asked([http], { addresses: [{ type, value }] })).toEqual({
      at: [],
      reasons: [`Gateway g has no address to connect to in its status, but ${type} ${value}`],
    })
    expect(asked([http], { addresses: [{ type, value }, '10.0.0.1'] }).at).toHaveLength(1)
  })

  it('by plain HTTP first, wherever HTTPS stands', () => {
    expect(asked([https, http]).at).toEqual(['http://10.0.0.1:8000/ a.example', 'https://10.0.0.1:8443/ a.example'])
    expect(asked([https]).at).toEqual(['https://10.0.0.1:8443/ a.example'])
  })

  it('by every name that it shares with the route, as another route may have taken one of them', () => {
    expect(asked([https, http], { hostnames: ['*.example', 'a.test', 'b.test'] }).at).toEqual(
      ['http://10.0.0.1:8000', 'https://10.0.0.1:8443'].flatMap((origin) =>
        ['a.test', 'b.test', 'any.example'].map((host) => `${origin}/ ${host}`),
      ),
    )
  })

  it('last by a name for which another listener there is the one to answer', () => {
    const wildcard = { ...http, hostname: '*.example' }
    const hostnames = ['a.example', 'b.example']
    const [a, b] = hostnames.map((host) => `http://10.0.0.1:8000/ ${host}`)
    const other = (listener: Partial<Listener>) =>
      asked([wildcard, { ...http, name: 'other', ...listener }], { hostnames, parent: { sectionName: 'web' } }).at
    expect(other({ hostname: 'a.example' })).toEqual([b, a])
    expect(other({ hostname: 'A.Example' })).toEqual([b, a])
    expect(other({ hostname: 'c.example' })).toEqual([a, b])
    expect(other({ hostname: 'a.example', port: 81 })).toEqual([a, b])
    expect(other({})).toEqual([a, b])
    const deep = ['x.a.example', 'x.example']
    const at = asked(
      [wildcard, { ...http, name: 'other', hostname: '*.a.example', allowedRoutes: { kinds: [{ kind: 'GRPCRoute' }] } }],
      {
        hostnames: deep,
      },
    ).at
    expect(at.map((line) => line.split(' ')[1])).toEqual(deep.toReversed())
  })

  it('at the listener that the route names, by section or by port', () => {
    expect(asked([http, https], { parent: { sectionName: 'secure' } }).at).toEqual(['https://10.0.0.1:8443/ a.example'])
    expect(asked([http, { ...http, name: 'other', port: 81 }], { parent: { port: 81 } }).at).toEqual([
      'http://10.0.0.1:81/ a.example',
    ])
  })

  it.each<[string, Partial<Listener>, string?]>([
    ['for TCP', { protocol: 'TCP' }, 'listens for TCP, not for HTTP or HTTPS'],
    ['for TLS that it does not end', { protocol: 'TLS' }, 'listens for TLS, not for HTTP or HTTPS'],
    ['that takes gRPC alone', { allowedRoutes: { kinds: [{ kind: 'GRPCRoute' }] } }, 'takes no HTTPRoute'],
    [
      'that takes HTTPRoutes of another group',
      { allowedRoutes: { kinds: [{ group: 'x', kind: 'HTTPRoute' }] } },
      'takes no HTTPRoute',
    ],
    ['that answers to another name', { hostname: 'b.example' }, 'answers to b.example, and the route to a.example'],
  ])('not at a listener %s', (_, listener, reason) => {
    expect(asked([{ ...http, ...listener }])).toEqual({ at: [], reasons: [`listener web of Gateway g ${reason}`] })
    expect(asked([{ ...http, ...listener, name: 'first' }, http]).at).toEqual(['http://10.0.0.1:8000/ a.example'])
  })

  it.each<[string | undefined, boolean]>([
    [undefined, false],
    ['Same', false],
    ['All', true],
    ['Selector', true],
  ])('from another namespace, where the listener lets it in: %s', (from, isAsked) => {
    const allowedRoutes = from === undefined ? {} : { namespaces: { from: from as 'All' } }
    const { at, reasons } = asked([{ ...http, allowedRoutes }], { namespace: 'another', parent: { namespace: 'n' } })
    expect(at).toHaveLength(isAsked ? 1 : 0)
    expect(reasons).toEqual(isAsked ? [] : ['listener web of Gateway g takes no route of this namespace'])
  })

  it('not at a listener that its controller has not set up', () => {
    const conditions = {
      web: [
        { type: 'Accepted', status: 'True' },
        { type: 'Programmed', status: 'False', reason: 'PortUnavailable' },
      ],
    }
    expect(asked([http], { conditions })).toEqual({
      at: [],
      reasons: ['listener web of Gateway g is not Programmed (PortUnavailable)'],
    })
  })

  it('nowhere without an address, or without the listener that the route names', () => {
    expect(asked([http], { addresses: [] })).toEqual({ at: [], reasons: ['Gateway g has no address in its status'] })
    expect(asked([http], { parent: { sectionName: 'x' } })).toEqual({ at: [], reasons: ['Gateway g has no such listener'] })
  })
})

describe('the host name', () => {
  it.each<[listener: string | undefined, route: string[], shared: (string | undefined)[]]>([
    [undefined, [], [undefined]],
    [undefined, ['a.example'], ['a.example']],
    ['a.example', [], ['a.example']],
    ['a.example', ['a.example'], ['a.example']],
    ['A.example', ['a.EXAMPLE'], ['a.example']],
    ['a.example', ['b.example'], []],
    ['*.example', ['a.example', 'b.test'], ['a.example']],
    ['*.example', ['a.b.example'], ['a.b.example']],
    ['*.example', ['example'], []],
    ['a.example', ['*.example'], ['a.example']],
    ['*.example', ['*.example'], ['*.example']],
    ['*.example', ['*.b.example'], ['*.b.example']],
    ['*.b.example', ['*.example'], ['*.b.example']],
    ['*.example', ['*.test'], []],
    [undefined, ['*.example', 'a.example'], ['a.example', '*.example']],
  ])('of a listener for %j and a route for %j is one of %j', (listener, route, shared) => {
    expect(sharedHostnames(listener, route)).toEqual(shared)
  })

  it('is made one without a wildcard, as the notes of the chart do', () => {
    expect(asked([http], { hostnames: ['*.x.example'] }).at).toEqual(['http://10.0.0.1:8000/ any.x.example'])
    expect(asked([{ ...http, hostname: '*.y.example' }], { hostnames: [] }).at).toEqual(['http://10.0.0.1:8000/ any.y.example'])
  })
})
