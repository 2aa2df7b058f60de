import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type Role, roles } from '../../src/canary/roles.ts'
import { chart, copyChart, edit, removeChart } from './chart.ts'
import { createNamespace, deleteNamespace, describeNamespace, namespace, poll, run } from './cluster.ts'
import { expectNoDrift } from './noDrift.ts'

beforeAll(async () => {
  copyChart()
  await createNamespace()
})

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(await describeNamespace())
})

afterAll(() => deleteNamespace().finally(removeChart))

/** What follows "helm upgrade --install" and "helm template" alike; more values come from the standard input. */
const release = (role: Role, overlay?: string) =>
  `devops-api-${role} . --values values-${role}.yaml ${overlay ? `--values examples/${overlay} ` : ''}--values - -n ${namespace}`

async function install(role: Role, values: object = {}, overlay?: string): Promise<void> {
  await run(`helm upgrade --install ${release(role, overlay)}`, JSON.stringify(values))
}

async function expectNothingDiffers(role: Role, values: object = {}, overlay?: string): Promise<void> {
  // Without the test's pod, which nobody but `helm test` creates; with a look at the cluster, as at the install.
  await expectNoDrift(await run(`helm template ${release(role, overlay)} --no-hooks --dry-run=server`, JSON.stringify(values)))
}

// The PodMonitor's type belongs to the Prometheus Operator, which is not on every cluster.
const noPodMonitor = { podMonitor: { enabled: false } }

const everything = {
  image: { digest: `sha256:${'0'.repeat(64)}` },
  imagePullSecrets: [{ name: 'registry' }],
  env: { LOG_LEVEL: 'debug' },
  replicas: 1,
  preStopSleepSeconds: 0,
  podDisruptionBudget: { enabled: true, maxUnavailable: '25%' },
  networkPolicy: { enabled: true },
  serviceAccount: { annotations: { 'example.com/identity': 'devops-api' } },
  podAnnotations: { 'prometheus.io/scrape': 'true' },
  podLabels: { team: 'web' },
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [{ key: 'spot', operator: 'Exists', effect: 'NoSchedule' }],
  affinity: {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 1,
          podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { team: 'web' } } },
        },
      ],
    },
  },
  priorityClassName: 'system-cluster-critical',
  extraVolumes: [{ name: 'tmp', emptyDir: {} }],
  extraVolumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
}

const forController = { service: { enabled: false }, replicas: null }

const overlays = readdirSync(join(import.meta.dirname, '../../chart/examples')).filter((file) => file !== 'check-job.yaml')

const installs: [name: string, role: Role, values?: object, overlay?: string][] = [
  ...roles.flatMap((role): typeof installs => [
    [role, role],
    ...overlays.map((file): (typeof installs)[number] => [`${role} with ${file}`, role, noPodMonitor, file]),
    [`${role} with everything`, role, everything],
    [`${role} with another ServiceAccount`, role, { serviceAccount: { create: false, name: 'default' } }],
  ]),
  ['canary for another controller', 'canary', forController],
  ['stable for another controller', 'stable', { ...forController, gateway: { route: false } }],
  ['stable without a route', 'stable', { gateway: { enabled: false } }],
  ['stable with a preview', 'stable', { traffic: { preview: true } }],
  ['stable that announces', 'stable', { traffic: { announce: true } }],
  ['stable with every rule and filter', 'stable', { traffic: { preview: true, announce: true } }],
  ['stable without weight', 'stable', { traffic: { stable: 0, canary: 1_000_000 } }],
  ['stable with all the weight', 'stable', { traffic: { stable: 100, canary: 0 } }],
  ['stable on any host name', 'stable', { gateway: { hostnames: [] } }],
  ['stable on several host names', 'stable', { gateway: { hostnames: ['*.example.com', 'example.com'] } }],
  ['stable with a test of the gateway', 'stable', { test: { gatewayAddress: 'gateway.example.com:80' } }],
]

// Nothing waits for readiness, which some of them never reach.
it.each(installs)('Installed, nothing differs: %s', async (_, role, values, overlay) => {
  // Anew, so that nothing is left of the one before.
  await run(`helm uninstall devops-api-${role} -n ${namespace} --ignore-not-found`)
  await install(role, values, overlay)
  await expectNothingDiffers(role, values, overlay)
})

it('Nothing differs in the Job that checks', async () => {
  await run(`kubectl apply --server-side -n ${namespace} -f examples/check-job.yaml`)
  await expectNoDrift(readFileSync(join(chart, 'examples/check-job.yaml'), 'utf8'))
  await run(`kubectl delete job devops-api-check -n ${namespace}`)
})

it('Nothing differs once controllers have written what is theirs', async () => {
  for (const role of roles) {
    await run(`helm uninstall devops-api-${role} -n ${namespace} --ignore-not-found`)
    await install(role)
  }
  const status = async (kind: string) =>
    JSON.parse(await run(`kubectl get ${kind} devops-api-stable -n ${namespace} -o json`)).status
  await poll(async () => {
    expect(await status('gateway')).toMatchObject({ listeners: [{ attachedRoutes: 1 }] })
    expect(await status('httproute')).toMatchObject({ parents: [{ conditions: expect.any(Array) }] })
    expect(await status('deployment')).toMatchObject({ readyReplicas: 2 })
  })
  for (const role of roles) await expectNothingDiffers(role)
})

it('Nothing differs after weights have moved', async () => {
  for (const canary of [50, 0, 25]) {
    edit('values-stable.yaml', { 'traffic.stable': 100 - canary, 'traffic.canary': canary })
    await install('stable')
    await expectNothingDiffers('stable')
  }
})

it('Nothing differs while an autoscaler decides over the number of pods', async () => {
  const production: [Role, object, string] = ['canary', noPodMonitor, 'production.yaml']
  await install(...production)
  // The least it may have, which needs no metrics.
  await run(`kubectl wait deployment/devops-api-canary -n ${namespace} --for=jsonpath={.spec.replicas}=3 --timeout=60s`)
  await expectNothingDiffers(...production)
})
