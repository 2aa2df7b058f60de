import { describe, expect, it } from 'vitest'
import { announced } from '../../src/demo/announced.ts'
import type { HTTPRoute, Manifest } from '../../src/demo/render.ts'
import { Route } from '../../src/demo/route.ts'
import { releases } from './releases.ts'

type Spec = HTTPRoute['spec']

const manifest = (spec: Partial<Spec>) =>
  ({ kind: 'HTTPRoute', metadata: { name: 'r' }, spec: { parentRefs: [], rules: [], ...spec } }) as unknown as Manifest &
    HTTPRoute

const exactly = (value: string) => ({ type: 'Exact' as const, value })
const to = (name: string, weight = 1) => ({ group: '', kind: 'Service', name, port: 80, weight })

/** Which Services the next requests go to. */
const services = (route: Route, path: string, headers: Record<string, string> = {}, n = 1) =>
  Array.from({ length: n }, () => route.rule(path, headers)?.backends.next()?.service)

describe("the chart's route", () => {
  it('splits the two published paths, and takes no other', async () => {
    const { stable } = await releases()
    const route = new Route(stable.HTTPRoute as Manifest & HTTPRoute)
    for (const path of ['/version', '/']) {
      expect(services(route, path, {}, 10).filter((name) => name === 'devops-api-canary')).toHaveLength(1)
    }
    for (const path of ['/version/', '/Version', '/metrics', '/livez', '']) expect(route.rule(path, {})).toBeUndefined()
  })

  it('prefers the preview to the split, for the very header', async () => {
    const { stable } = await releases({ stable: { traffic: { stable: 100, canary: 0, preview: true } } })
    const route = new Route(stable.HTTPRoute as Manifest & HTTPRoute)
    expect(services(route, '/version', { 'x-canary': 'always' })).toEqual(['devops-api-canary'])
    for (const headers of [{ 'x-canary': 'Always' }, { 'x-canary': '' }, {}] as Record<string, string>[]) {
      expect(services(route, '/version', headers)).toEqual(['devops-api-stable'])
    }
  })

  it('announces the split on every rule', async () => {
    const { stable } = await releases({ stable: { traffic: { announce: true, preview: true } } })
    const route = new Route(stable.HTTPRoute as Manifest & HTTPRoute)
    const set = [{ name: 'traffic-split', value: 'stable=90, canary=10' }]
    for (const headers of [{}, { 'x-canary': 'always' }] as Record<string, string>[]) {
      expect(route.rule('/', headers)?.headerChanges).toEqual({ set, add: [], remove: [] })
    }
  })
})

describe('a route that does not announce the split', () => {
  it('is announced by the demo, on every rule, with the weights that the chart leaves out', async () => {
    const { stable } = await releases({ stable: { traffic: { stable: 100, canary: 0, preview: true } } })
    const route = new Route(announced(stable.HTTPRoute as Manifest & HTTPRoute, [100, 0]))
    for (const headers of [{}, { 'x-canary': 'always' }] as Record<string, string>[]) {
      expect(route.rule('/', headers)?.headerChanges.set).toEqual([{ name: 'traffic-split', value: 'stable=100, canary=0' }])
    }
  })

  it('has changes of a backend beside those of the rule', () => {
    const says = (value: string) => [
      { type: 'ResponseHeaderModifier', responseHeaderModifier: { set: [{ name: 'app-role', value }] } },
    ]
    const rule = { backendRefs: [{ ...to('a'), filters: says('stable') }], filters: says('both') }
    const taken = new Route(manifest({ rules: [rule] as never })).rule('/', {})
    const set = (value: string) => ({ set: [{ name: 'app-role', value }], add: [], remove: [] })
    expect([taken?.backends.next()?.headerChanges, taken?.headerChanges]).toEqual([set('stable'), set('both')])
  })

  it('is left alone where it announces, or splits nothing between the two', async () => {
    const { stable } = await releases({ stable: { traffic: { announce: true } } })
    const own = stable.HTTPRoute as Manifest & HTTPRoute
    expect(announced(own, [1, 2])).toEqual(own)
    const other = manifest({ rules: [{ backendRefs: [to('a')] }] as never })
    expect(announced(other, [0, 0])).toEqual(other)
  })
})

describe('a host', () => {
  it.each([
    [['a.example'], 'a.example', true],
    [['a.example'], 'A.Example:8000', true],
    [['a.example'], 'b.a.example', false],
    [['a.example', 'b.example'], 'b.example', true],
    [['*.example'], 'a.example:80', true],
    [['*.example'], 'b.a.example', true],
    [['*.example'], 'example', false],
    [['*.example'], 'aexample', false],
    [['a.example'], 'localhost', true],
    [['a.example'], 'localhost:8000', true],
    [['a.example'], '127.0.0.1:8000', true],
    [['a.example'], '[::1]:8000', true],
    [['a.example'], '[::1]', true],
    [['a.example'], undefined, true],
    [['a.example'], '127.0.0.2', false],
    [undefined, 'anything', true],
  ])('a route for %j is asked as %s: %s', (hostnames, host, answers) => {
    expect(new Route(manifest(hostnames ? { hostnames } : {})).answersTo(host)).toBe(answers)
  })
})

describe('of several rules', () => {
  it('the one with more headers wins, then the first', () => {
    const rule = (name: string, headers: string[]) => ({
      matches: [{ path: exactly('/'), headers: headers.map((header) => ({ name: header, value: '1' })) }],
      backendRefs: [to(name)],
    })
    const route = new Route(manifest({ rules: [rule('none', []), rule('a', ['A']), rule('b', ['b']), rule('both', ['a', 'b'])] }))
    expect(services(route, '/', { a: '1', b: '1' })).toEqual(['both'])
    expect(services(route, '/', { a: '1' })).toEqual(['a'])
    expect(services(route, '/', { b: '1' })).toEqual(['b'])
    expect(services(route, '/', { b: '2' })).toEqual(['none'])
  })

  it('a path wins over any number of headers without one', () => {
    const route = new Route(
      manifest({
        rules: [
          { matches: [{ headers: [{ name: 'a', value: '1' }] }], backendRefs: [to('headers')] },
          { backendRefs: [to('rest')] },
          { matches: [{ path: exactly('/a') }], backendRefs: [to('path')] },
        ],
      }),
    )
    expect(services(route, '/a', { a: '1' })).toEqual(['path'])
    expect(services(route, '/b', { a: '1' })).toEqual(['headers'])
    expect(services(route, '/b')).toEqual(['rest'])
  })

  it('each takes turns of its own, with a weight of 1 unless it has another', () => {
    const rules = [
      { matches: [{ path: exactly('/a') }], backendRefs: [{ name: 's', port: 80 }, to('c', 3)] },
      { matches: [{ path: exactly('/b') }], backendRefs: [to('s', 1), to('c', 1)] },
    ]
    const route = new Route(manifest({ rules }))
    expect(services(route, '/a', {}, 4)).toEqual(['c', 's', 'c', 'c'])
    expect(services(route, '/b', {}, 2)).toEqual(['s', 'c'])
  })

  it('one without backends takes a request and has nobody to send it to', () => {
    const route = new Route(manifest({ rules: [{ matches: [{ path: exactly('/') }] }] }))
    expect(services(route, '/')).toEqual([undefined])
    expect(route.rule('/', {})).toBeDefined()
  })
})

describe('what the gateway cannot do is a mistake', () => {
  const backendRefs = [to('s')]
  it.each<[string, unknown]>([
    ['rules.matches.path.type: PathPrefix', { matches: [{ path: { type: 'PathPrefix', value: '/' } }], backendRefs }],
    ['rules.matches.path without a type', { matches: [{ path: { value: '/' } }], backendRefs }],
    ['rules.matches.method', { matches: [{ method: 'GET' }], backendRefs }],
    ['rules.matches.queryParams', { matches: [{ queryParams: [{ name: 'a', value: 'b' }] }], backendRefs }],
    [
      'rules.matches.headers.type: RegularExpression',
      { matches: [{ headers: [{ type: 'RegularExpression', name: 'a', value: '.' }] }], backendRefs },
    ],
    [
      'rules.filters.type: RequestMirror, rules.filters.requestMirror',
      { filters: [{ type: 'RequestMirror', requestMirror: {} }], backendRefs },
    ],
    ['rules.backendRefs without a port', { backendRefs: [{ name: 's' }] }],
    ['rules.timeouts', { timeouts: { request: '1s' }, backendRefs }],
    ['rules.backendRefs.filters.type: URLRewrite', { backendRefs: [{ ...to('s'), filters: [{ type: 'URLRewrite' }] }] }],
    ['rules.backendRefs.namespace', { backendRefs: [{ ...to('s'), namespace: 'other' }] }],
    ['rules.backendRefs.kind: Other', { backendRefs: [{ ...to('s'), kind: 'Other' }] }],
  ])('%s', (what, rule) => {
    expect(() => new Route(manifest({ rules: [rule as Spec['rules'][number]] }))).toThrow(
      `HTTPRoute r has what the demo's gateway cannot do: ${what}`,
    )
  })

  it('all of it in one message, each once', () => {
    const rule = { timeouts: {}, sessionPersistence: {}, backendRefs }
    expect(() => new Route(manifest({ rules: [rule, rule] }))).toThrow(/: rules\.timeouts, rules\.sessionPersistence$/)
  })
})
