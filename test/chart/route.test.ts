import { describe, expect, it } from 'vitest'
import { type Options, type Role, render } from './render.ts'

async function route(options: Options = {}) {
  const { HTTPRoute } = await render('stable', options)
  if (!HTTPRoute) throw new Error('no route')
  return HTTPRoute.spec
}

const backend = (role: Role, weight: number) => ({ group: '', kind: 'Service', name: `devops-api-${role}`, port: 80, weight })
const exactly = (value: string) => ({ path: { type: 'Exact', value } })

describe('the split', () => {
  it.each([
    [90, 10, [backend('stable', 90), backend('canary', 10)]],
    [1_000_000, 999_999, [backend('stable', 1_000_000), backend('canary', 999_999)]],
    [100, 0, [backend('stable', 100)]],
    [0, 100, [backend('stable', 0), backend('canary', 100)]],
  ])('%i/%i names stable always, and canary where it has a weight', async (stable, canary, backends) => {
    const { rules } = await route({ values: { traffic: { stable, canary } } })
    expect(rules.map(({ backendRefs }) => backendRefs)).toEqual([backends])
  })

  it('publishes /version and / and nothing below or beside them', async () => {
    const { rules } = await route()
    expect(rules.map(({ matches }) => matches)).toEqual([[exactly('/version'), exactly('/')]])
  })
})

describe('traffic.preview', () => {
  it('sends requests with the header to canary, whatever the weights', async () => {
    const { rules } = await route({ values: { traffic: { stable: 100, canary: 0, preview: true } } })
    const headers = [{ type: 'Exact', name: 'x-canary', value: 'always' }]
    expect(rules).toEqual([
      { matches: [exactly('/version'), exactly('/')], backendRefs: [backend('stable', 100)] },
      {
        matches: [
          { ...exactly('/version'), headers },
          { ...exactly('/'), headers },
        ],
        backendRefs: [backend('canary', 1)],
      },
    ])
  })
})

describe('traffic.previewHeader', () => {
  it('is the header to ask with, also where YAML would read its name or value as something else', async () => {
    const previewHeader = { name: 'Y', value: 'true' }
    const { rules } = await route({ values: 'traffic: { preview: true, previewHeader: { name: "Y", value: "true" } }' })
    for (const { headers } of rules[1]?.matches ?? []) expect(headers).toEqual([{ type: 'Exact', ...previewHeader }])
    expect(rules[1]?.matches).toHaveLength(2)
  })
})

describe('traffic.announce', () => {
  it('adds the configured split to the replies of every rule', async () => {
    const { rules } = await route({ values: { traffic: { stable: 1_000_000, canary: 5, announce: true, preview: true } } })
    const set = [{ name: 'traffic-split', value: 'stable=1000000, canary=5' }]
    expect(rules).toHaveLength(2)
    for (const { filters } of rules)
      expect(filters).toEqual([{ type: 'ResponseHeaderModifier', responseHeaderModifier: { set } }])
  })
})

describe('the gateway', () => {
  it('is created beside the route', async () => {
    const { Gateway, HTTPRoute } = await render('stable')
    expect(Gateway?.spec).toEqual({
      gatewayClassName: 'traefik',
      listeners: [{ name: 'http', protocol: 'HTTP', port: 8000, allowedRoutes: { namespaces: { from: 'Same' } } }],
    })
    expect(HTTPRoute?.spec.parentRefs).toEqual([
      { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'devops-api-stable' },
    ])
    expect(HTTPRoute?.spec.hostnames).toEqual(['devops-api.devops-db.internal'])
  })

  it('can be of another class, on another port', async () => {
    const { Gateway } = await render('stable', { values: { gateway: { className: 'envoy', listener: { port: 80 } } } })
    expect(Gateway?.spec).toMatchObject({ gatewayClassName: 'envoy', listeners: [{ port: 80 }] })
  })

  it('can be an existing one', async () => {
    const { Gateway, HTTPRoute } = await render('stable', { overlays: ['examples/shared-gateway.yaml'] })
    expect(Gateway).toBeUndefined()
    expect(HTTPRoute?.spec.parentRefs).toEqual([
      { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'shared', namespace: 'gateways', sectionName: 'http' },
    ])
  })

  it('takes any host name when none is given', async () => {
    expect(await route({ values: { gateway: { hostnames: [] } } })).not.toHaveProperty('hostnames')
  })

  it('can be created without the route and the Service, for a controller that makes its own', async () => {
    const release = await render('stable', { values: { gateway: { route: false }, service: { enabled: false }, replicas: null } })
    expect(Object.keys(release).sort()).toEqual(['Deployment', 'Gateway', 'Pod', 'ServiceAccount'])
    expect(release.Deployment.spec).not.toHaveProperty('replicas')
  })

  it.each<[Role, Options]>([
    ['canary', {}],
    ['stable', { values: { gateway: { enabled: false } } }],
  ])('and the route are left out of %s without gateway.enabled', async (role, options) => {
    expect(Object.keys(await render(role, options)).sort()).toEqual(['Deployment', 'Pod', 'Service', 'ServiceAccount'])
  })
})

it('the labels of the Gateway, which Istio hands on to its pods, stay as they are in a new version, and select none of stable', async () => {
  const labels = async (tag: string) => (await render('stable', { values: { image: { tag } } })).Gateway?.metadata.labels
  const before = await labels('1.1.1')
  expect(before).toEqual({
    'app.kubernetes.io/name': 'devops-api',
    'app.kubernetes.io/instance': 'devops-api-stable',
    'app.kubernetes.io/managed-by': 'Helm',
  })
  expect(await labels('1.2.0')).toEqual(before)
})
