import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { chart } from './chart.ts'
import { namespace, poll } from './cluster.ts'
import { addressForPods, gateway } from './gateway.ts'
import { install } from './releases.ts'
import { canary, folder, secureHost, shareGateway, theirs, tls } from './sharedGateway.ts'

/** Behind a node port, the Gateway's status does not say where it is to be reached. */
const isStated = addressForPods === undefined

const { port } = gateway
const web = { name: 'web', port, protocol: 'HTTP' }

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
  ['by HTTPS alone', [{ name: 'secure', port, protocol: 'HTTPS', hostname: secureHost, tls }], []],
])('status finds where to ask a Gateway %s', async (_, listeners, hostnames) => {
  await shareGateway(listeners)
  const overlay = join(folder, 'overlay.json')
  writeFileSync(overlay, JSON.stringify({ gateway: { create: false, name: 'shared', namespace: theirs, hostnames } }))
  await install('stable', overlay)
  await poll(async () => {
    const { all } = await canary(`status --chart ${chart} --namespace ${namespace} --values ${overlay}`)
    expect(all).toContain(isStated ? 'All of it agrees.' : 'give --url, and --host')
  })
})
