import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { certificate } from '../canary/promotion/certificate.ts'
import { chart, copyChart, removeChart } from './chart.ts'
import { createNamespace, deleteNamespace, describeNamespace, env, namespace, poll, rolledOut, run } from './cluster.ts'
import { addressForPods, gateway, gatewayClass } from './gateway.ts'
import { install } from './releases.ts'

/** Behind a node port, the Gateway's status does not say where it is to be reached. */
const isStated = addressForPods === undefined
const root = join(import.meta.dirname, '../..')
const theirs = `${namespace}-gateways`
const folder = mkdtempSync(join(tmpdir(), 'addresses-'))
const authority = join(folder, 'cert.pem')

beforeAll(async () => {
  copyChart()
  await createNamespace()
  await run(`kubectl create namespace ${theirs}`)
  const { key, cert } = await certificate('secure.example.com')
  writeFileSync(authority, cert)
  writeFileSync(join(folder, 'key.pem'), key)
  await run(`kubectl create secret tls certificate -n ${theirs} --cert ${authority} --key ${join(folder, 'key.pem')}`)
  await install('stable')
  await install('canary')
  await Promise.all([rolledOut('stable'), rolledOut('canary')])
})

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(await describeNamespace())
})

afterAll(async () => {
  await run(`kubectl delete namespace ${theirs} --ignore-not-found --timeout=120s`)
  await deleteNamespace().finally(removeChart)
  rmSync(folder, { recursive: true })
})

/** Somebody else's Gateway, in a namespace of its own, and stable's route attached to it. */
async function share(listeners: object[], hostnames: string[]): Promise<string> {
  const shared = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'shared', namespace: theirs },
    spec: {
      gatewayClassName: gatewayClass,
      listeners: listeners.map((listener) => ({ ...listener, allowedRoutes: { namespaces: { from: 'All' } } })),
    },
  }
  await run('kubectl apply -f -', JSON.stringify(shared))
  const overlay = join(folder, 'overlay.json')
  writeFileSync(overlay, JSON.stringify({ gateway: { create: false, name: 'shared', namespace: theirs, hostnames } }))
  await install('stable', overlay)
  return overlay
}

const { port } = gateway
const web = { name: 'web', port, protocol: 'HTTP' }
const tls = { mode: 'Terminate', certificateRefs: [{ name: 'certificate' }] }

it.each<[string, object[], string[]]>([
  [
    'whose first listener is for HTTPS',
    [{ name: 'secure', port: 8443, protocol: 'HTTPS', tls }, web],
    ['devops-api.devops-db.internal'],
  ],
  [
    'whose first listener is on a port that nobody serves',
    [{ name: 'nobody', port: 8999, protocol: 'HTTP' }, web],
    ['devops-api.devops-db.internal'],
  ],
  ['for a wildcard', [web], ['*.x.example.com']],
  ['for the host name that only its listener has', [{ ...web, hostname: 'canary.example.com' }], []],
  ['for the host name that its wildcard covers', [{ ...web, hostname: '*.example.com' }], ['other.test', 'canary.example.com']],
  ['for any host name', [web], []],
  ['by HTTPS alone', [{ name: 'secure', port, protocol: 'HTTPS', hostname: 'secure.example.com', tls }], []],
])('status finds where to ask a Gateway %s', async (_, listeners, hostnames) => {
  const overlay = await share(listeners, hostnames)
  await poll(async () => {
    const { all } = await execa(
      process.execPath,
      ['src/canary/main.ts', 'status', '--chart', chart, '--namespace', namespace, '--values', overlay],
      { cwd: root, env: { ...env, NODE_EXTRA_CA_CERTS: authority }, reject: false, all: true },
    )
    expect(all).toContain(isStated ? 'All of it agrees.' : 'give --url, and --host')
  })
})
