import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '../../src/canary/cluster/findProgram.ts'
import { temporary } from './commandLine.ts'
import { gateway } from './fakeService.ts'

const backends = [
  { name: 'devops-api-stable', weight: 90 },
  { name: 'devops-api-canary', weight: 10 },
]
const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({ type, status: 'True', reason: type, observedGeneration: 1 }))
export const route = {
  kind: 'HTTPRoute',
  metadata: { name: 'devops-api-stable', namespace: 'n', generation: 1 },
  spec: { parentRefs: [{ name: 'g' }], hostnames: ['a.internal'], rules: [{ backendRefs: backends }] },
  status: { parents: [{ parentRef: { name: 'g' }, conditions }] },
}
export const deployment = (role: string, version: string, readyReplicas = 2) => ({
  kind: 'Deployment',
  metadata: { name: `devops-api-${role}`, generation: 1 },
  spec: {
    replicas: 2,
    template: { spec: { containers: [{ image: 'devops-api:1.1.1', env: [{ name: 'DEVOPSAPI_VERSION', value: version }] }] } },
  },
  status: { observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas },
})
export const service = (role: string) => ({ kind: 'Service', metadata: { name: `devops-api-${role}` } })
export const stable = { role: 'stable', traffic: { stable: 90, canary: 10 }, image: { tag: '1.1.1' }, gateway: { enabled: true } }
export const canary = {
  role: 'canary',
  image: { tag: '1.1.1' },
  env: { DEVOPSAPI_VERSION: 'v1.1.1-canary' },
  gateway: { enabled: false },
}
export const release = (config: object, status = 'deployed') => ({
  version: 1,
  config,
  info: { status, last_deployed: '2026-01-01T00:00:00Z' },
})

export interface FakeCluster {
  route?: object
  workloads?: object[]
  stable?: object
  canary?: object | undefined
}

/** A PATH with a helm and a kubectl that say what they are told, and note what they are asked. */
export async function fakeCluster(change: FakeCluster = {}) {
  const { url } = await gateway()
  const folder = temporary()
  const workloads = [deployment('stable', 'v1.1.1'), deployment('canary', 'v1.1.1-canary'), service('stable'), service('canary')]
  const { hostname, port } = new URL(url)
  const answers = {
    workloads: { items: change.workloads ?? workloads },
    route: { items: [change.route ?? route] },
    gateway: {
      metadata: { name: 'devops-api-stable' },
      spec: {
        gatewayClassName: 'traefik',
        listeners: [{ name: 'http', port: Number(port), protocol: 'HTTP' }],
      },
      status: { addresses: [{ value: hostname }] },
    },
    stable: change.stable ?? release(stable),
    canary: 'canary' in change ? change.canary : release(canary),
  }
  for (const [name, answer] of Object.entries(answers)) if (answer) writeFileSync(join(folder, name), JSON.stringify(answer))
  const say = (pattern: string, name: string) =>
    `${pattern}) cat ${folder}/${name} 2>/dev/null || { echo 'Error: release: not found' >&2; exit 1; };;`
  const program = (name: string, cases: string[]) => {
    writeFileSync(
      join(folder, name),
      `#!/bin/sh\necho "${name} $*" >> ${folder}/asked\ncase "$*" in\n${cases.join('\n')}\n*) exit 1;;\nesac\n`,
    )
    chmodSync(join(folder, name), 0o755)
  }
  program('kubectl', [say('*deployments*', 'workloads'), say('*httproutes*', 'route'), say('*gateways*', 'gateway')])
  // What values files say needs no cluster: Helm itself reads them.
  program('helm', [
    `template*) exec ${await findProgram('helm')} "$@";;`,
    say('status*devops-api-stable*', 'stable'),
    say('status*devops-api-canary*', 'canary'),
  ])
  return { env: { PATH: `${folder}:${process.env.PATH}` }, asked: () => readFileSync(join(folder, 'asked'), 'utf8') }
}
