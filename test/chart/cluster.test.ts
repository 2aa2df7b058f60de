import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments, stringify } from 'yaml'
import { helm, type Options, type Role, valuesArguments } from './render.ts'

const kinds: Record<string, string[]> = {
  '/api/v1': ['Pod', 'Service', 'ServiceAccount'],
  '/apis/apps/v1': ['Deployment'],
  '/apis/gateway.networking.k8s.io/v1': ['Gateway', 'HTTPRoute'],
}

const discovery: Record<string, object> = {
  '/version': { major: '1', minor: '34', gitVersion: 'v1.34.0' },
  '/api': { versions: ['v1'] },
  '/apis': {
    groups: ['apps', 'gateway.networking.k8s.io'].map((name) => ({
      name,
      versions: [{ groupVersion: `${name}/v1`, version: 'v1' }],
    })),
  },
  ...Object.fromEntries(
    Object.entries(kinds).map(([path, names]) => [
      path,
      {
        groupVersion: path.replace(/^.apis?./, ''),
        resources: names.map((kind) => ({ kind, name: `${kind.toLowerCase()}s`, namespaced: true })),
      },
    ]),
  ),
}

const metadataOf = (name: string) => ({
  name,
  labels: { 'app.kubernetes.io/managed-by': 'Helm' },
  annotations: { 'meta.helm.sh/release-name': name, 'meta.helm.sh/release-namespace': 'demo' },
})

/**
 * Lets Helm pretend an installation on as much of an API server as it asks for, which holds the Service `existing` and stable's
 * Gateway with the status `gateway`, and lets nobody look into other namespaces.
 */
async function install(role: Role, options: Options & { existing?: Role | undefined; gateway?: object } = {}) {
  const { existing, gateway, release = `devops-api-${role}`, values = '' } = options
  const objects: Record<string, object> = {
    ...discovery,
    [`/api/v1/namespaces/demo/services/devops-api-${existing}`]: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadataOf(`devops-api-${existing}`),
    },
    ...(gateway && {
      '/apis/gateway.networking.k8s.io/v1/namespaces/demo/gateways/devops-api-stable': {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'Gateway',
        metadata: metadataOf('devops-api-stable'),
        status: gateway,
      },
    }),
  }
  const server = createServer(({ url = '' }, response) => {
    const path = url.replace(/\?.*/, '')
    const found = objects[path]
    const isForbidden = /namespaces\/(?!demo\/)/.test(path)
    const [code, reason] = isForbidden ? [403, 'Forbidden'] : [404, 'NotFound']
    response.writeHead(found ? 200 : code, { 'content-type': 'application/json' })
    response.end(JSON.stringify(found ?? { apiVersion: 'v1', kind: 'Status', status: 'Failure', reason, code }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const { stdout, stderr } = await helm(
    [
      'install',
      release,
      '.',
      '-n',
      'demo',
      '--dry-run=server',
      '--disable-openapi-validation',
      ...valuesArguments(role, options),
    ],
    {
      input: typeof values === 'string' ? values : stringify(values),
      env: { HELM_KUBEAPISERVER: `http://127.0.0.1:${port}` },
    },
  )
  server.close()
  const asked = /^ +- (http:.*)$/m.exec(stdout)?.[1]
  const [manifest = '', notes] = stdout.split('NOTES:\n')
  return { manifest, notes, asked, stderr }
}

describe('the route at 100/0', () => {
  it.each<[string, Role | undefined, string[]]>([
    ['keeps canary while its Service is there', 'canary', ['devops-api-stable 100', 'devops-api-canary 0']],
    ['leaves it out while it is missing', undefined, ['devops-api-stable 100']],
  ])('%s', async (_, existing, expected) => {
    const { manifest } = await install('stable', { existing, values: { traffic: { stable: 100, canary: 0 } } })
    const route = parseAllDocuments(manifest.replace(/^.*?MANIFEST:/s, ''))
      .map((document) => document.toJS())
      .find(({ kind }) => kind === 'HTTPRoute')
    const named = route.spec.rules[0].backendRefs as { name: string; weight: number }[]
    expect(named.map(({ name, weight }) => `${name} ${weight}`)).toEqual(expected)
  })
})

describe('the notes', () => {
  it('of stable show the split and how to see it', async () => {
    const { notes } = await install('stable', { existing: 'canary', gateway: { addresses: [{ value: '10.0.0.1' }] } })
    expect(notes).toBe(`devops-api-stable says v1.1.1, and its route splits requests:

  stable     90 %  ████████████████████████████████████
  canary     10 %  ████

Try it:

  address=$(kubectl get gateway devops-api-stable -n demo -o jsonpath='{.status.addresses[0].value}:{.spec.listeners[0].port}')
  for i in $(seq 20); do curl -sS -H 'Host: devops-api.devops-db.internal' "http://$address/version"; echo; done

Behind a port mapping, as with kind, set the address yourself: address=127.0.0.1:8000

Test it: helm test devops-api-stable -n demo
The gateway is asked as well, at 10.0.0.1:8000.`)
  })

  it('of stable warn of a canary that is missing', async () => {
    const { notes } = await install('stable')
    expect(notes?.split('\n\n').slice(-2)).toEqual([
      'WARNING: the Service devops-api-canary is not there (yet), so 10 % of the requests fail with 500. Install it:',
      '  helm upgrade --install devops-api-canary . --values values-canary.yaml -n demo',
    ])
  })

  it.each([
    [{ stable: 100, canary: 0 }, undefined],
    [{ stable: 100, canary: 0, preview: true }, 'requests with the header "x-canary: always" fail with 500'],
    [{ stable: 2, canary: 1, preview: true }, '33.33 % of the requests fail with 500'],
    [{ stable: 0, canary: 1_000_000 }, '100 % of the requests fail with 500'],
  ])('of stable at %o warn of just that', async (traffic, warning) => {
    const { notes } = await install('stable', { values: { traffic } })
    expect(notes?.match(/WARNING: .*, so (.*)\. Install it:/)?.[1]).toBe(warning)
  })

  it('of stable show where a shared gateway listens, and ask for any of its host names', async () => {
    const { notes } = await install('stable', {
      existing: 'canary',
      overlays: ['examples/shared-gateway.yaml'],
      values: { gateway: { hostnames: ['*.example.com'] } },
    })
    expect(notes).toContain(
      `kubectl get gateway shared -n gateways -o jsonpath='{.status.addresses[0].value}:{.spec.listeners[?(@.name=="http")].port}'`,
    )
    expect(notes).toContain(`curl -sS -H 'Host: any.example.com' "http://$address/version"`)
  })

  it('of stable name no host where any will do', async () => {
    const { notes } = await install('stable', { values: { gateway: { hostnames: [] } } })
    expect(notes).toContain('curl -sS "http://$address/version"')
  })

  it('of stable without a route say so', async () => {
    const { notes } = await install('stable', { values: { gateway: { enabled: false } } })
    expect(notes).toBe(`devops-api-stable says v1.1.1 and owns no route, because gateway.enabled is false.

Test it: helm test devops-api-stable -n demo`)
  })

  it('of stable under another controller say so', async () => {
    const { notes } = await install('stable', { values: { gateway: { route: false } } })
    expect(notes).toContain('devops-api-stable says v1.1.1 and owns no route, because gateway.route is false.')
    expect(notes).not.toContain('The gateway is not asked')
  })

  it('of canary say who sends it requests', async () => {
    const { notes } = await install('canary', { existing: 'stable' })
    expect(notes).toBe(`devops-api-canary says v1.1.1-canary and gets the share that traffic.canary of devops-api-stable gives it.

Test it: helm test devops-api-canary -n demo`)
  })

  it('of canary warn of a stable that is missing', async () => {
    const { notes } = await install('canary')
    expect(notes?.split('\n\n').slice(-2)).toEqual([
      'WARNING: the Service devops-api-stable is not there (yet), so nothing sends it requests. Install it:',
      '  helm upgrade --install devops-api-stable . --values values-stable.yaml -n demo',
    ])
  })
})

describe('helm test of stable asks the gateway', () => {
  const shared = { overlays: ['examples/shared-gateway.yaml'] }
  const unasked = 'The gateway is not asked, because its address is not known: set test.gatewayAddress to its host:port'

  it.each([
    ['10.0.0.1', 'http://10.0.0.1:8000'],
    ['lb.example.com', 'http://lb.example.com:8000'],
    ['fd00::1', 'http://[fd00::1]:8000'],
  ])('at the address %s of its status', async (value, url) => {
    const { asked, notes } = await install('stable', { gateway: { addresses: [{ value }, { value: '10.9.9.9' }] } })
    expect(asked).toBe(url)
    expect(notes).not.toContain('not asked')
  })

  it('at the port of its listener', async () => {
    const gateway = { addresses: [{ value: '10.0.0.1' }] }
    const { asked } = await install('stable', { gateway, values: { gateway: { listener: { port: 81 } } } })
    expect(asked).toBe('http://10.0.0.1:81')
  })

  it('at test.gatewayAddress rather than that', async () => {
    const gateway = { addresses: [{ value: '10.0.0.1' }] }
    const { asked, notes } = await install('stable', { gateway, values: { test: { gatewayAddress: 'traefik.traefik:80' } } })
    expect(asked).toBe('http://traefik.traefik:80')
    expect(notes).toContain('Test it: helm test devops-api-stable -n demo\nThe gateway is asked as well, at traefik.traefik:80.')
  })

  it.each([
    ['is not there yet', {}],
    ['has no status yet', { gateway: {} }],
    ['has no address yet', { gateway: { addresses: [] } }],
  ])('not when it %s, which the notes say', async (_, options) => {
    const { asked, notes } = await install('stable', options)
    expect(asked).toBeUndefined()
    expect(notes).toContain(
      `Test it: helm test devops-api-stable -n demo\n${unasked}, or repeat helm upgrade once the Gateway has an address.`,
    )
  })

  it("not when it is somebody else's, in a namespace that may be closed, which the notes say", async () => {
    const { asked, notes, stderr } = await install('stable', { ...shared, gateway: { addresses: [{ value: '10.0.0.1' }] } })
    expect(stderr).toBe('')
    expect(asked).toBeUndefined()
    expect(notes).toContain(`Test it: helm test devops-api-stable -n demo\n${unasked}.`)
  })

  it('not without a route', async () => {
    const gateway = { addresses: [{ value: '10.0.0.1' }] }
    expect((await install('stable', { gateway, values: { gateway: { enabled: false } } })).asked).toBeUndefined()
    expect((await install('canary', { gateway })).asked).toBeUndefined()
  })
})

it('a second release of a role is refused, whatever its name', async () => {
  const { stderr } = await install('canary', { existing: 'canary', release: 'other' })
  expect(stderr).toContain(
    'Service "devops-api-canary" in namespace "demo" exists and cannot be imported into the current release',
  )
})
