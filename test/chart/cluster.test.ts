import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
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

/** Lets Helm pretend an installation on as much of an API server as it asks for, which holds the release `existing`. */
async function install(role: Role, options: Options & { existing?: Role } = {}) {
  const { existing, release = `devops-api-${role}`, values = '' } = options
  const service = `/api/v1/namespaces/demo/services/devops-api-${existing}`
  const metadata = {
    name: `devops-api-${existing}`,
    labels: { 'app.kubernetes.io/managed-by': 'Helm' },
    annotations: { 'meta.helm.sh/release-name': `devops-api-${existing}`, 'meta.helm.sh/release-namespace': 'demo' },
  }
  const server = createServer(({ url = '' }, response) => {
    const path = url.replace(/\?.*/, '')
    const found = path === service ? { apiVersion: 'v1', kind: 'Service', metadata } : discovery[path]
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(found ?? { apiVersion: 'v1', kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404 }))
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
  return { notes: stdout.split('NOTES:\n')[1], stderr }
}

describe('the notes', () => {
  it('of stable show the split and how to see it', async () => {
    const { notes } = await install('stable', { existing: 'canary' })
    expect(notes).toBe(`devops-api-stable says v1.1.1, and its route splits requests:

  stable     90 %  ████████████████████████████████████
  canary     10 %  ████

Try it:

  address=$(kubectl get gateway devops-api-stable -n demo -o jsonpath='{.status.addresses[0].value}:{.spec.listeners[0].port}')
  for i in $(seq 20); do curl -sS -H 'Host: devops-api.devops-db.internal' "http://$address/version"; echo; done

Behind a port mapping, as with kind, set the address yourself: address=127.0.0.1:8000

Test it: helm test devops-api-stable -n demo`)
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

it('a second release of a role is refused, whatever its name', async () => {
  const { stderr } = await install('canary', { existing: 'canary', release: 'other' })
  expect(stderr).toContain(
    'Service "devops-api-canary" in namespace "demo" exists and cannot be imported into the current release',
  )
})
