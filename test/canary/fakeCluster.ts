import { gateway } from './fakeService.ts'
import { needsNoCluster, type RunProgram, withoutCluster } from './inProcess.ts'

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
  pods?: object[]
  stable?: object
  canary?: object | undefined
}

/** A helm and a kubectl that say what they are told, and what they were asked. */
export async function fakeCluster(change: FakeCluster = {}) {
  const { url } = await gateway()
  const { hostname, port } = new URL(url)
  const workloads = [deployment('stable', 'v1.1.1'), deployment('canary', 'v1.1.1-canary'), service('stable'), service('canary')]
  const answers: [RegExp, object | undefined][] = [
    [/^kubectl .*deployments/, { items: change.workloads ?? workloads }],
    [/^kubectl .*httproutes/, { items: [change.route ?? route] }],
    [
      /^kubectl .*gateways/,
      {
        metadata: { name: 'devops-api-stable' },
        spec: { gatewayClassName: 'traefik', listeners: [{ name: 'http', port: Number(port), protocol: 'HTTP' }] },
        status: { addresses: [{ value: hostname }] },
      },
    ],
    [/^kubectl .*get deployment /, { spec: { selector: {} } }],
    [/^kubectl .*get pods /, { items: change.pods ?? [] }],
    [/^helm status .*devops-api-stable/, change.stable ?? release(stable)],
    [/^helm status .*devops-api-canary/, 'canary' in change ? change.canary : release(canary)],
  ]
  const asked: string[] = []
  const cluster: RunProgram = async (name, args, signal) => {
    const question = [name, ...args].join(' ')
    asked.push(question)
    if (needsNoCluster(name, args)) return withoutCluster(name, args, signal)
    const [, answer] = answers.find(([pattern]) => pattern.test(question)) ?? []
    return answer
      ? { stdout: JSON.stringify(answer), stderr: '', failed: false }
      : { stdout: '', stderr: 'Error: release: not found', failed: true }
  }
  return { cluster, asked }
}
