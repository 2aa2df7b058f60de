import { expect, it } from 'vitest'
import type { Workload } from '../../../src/canary/cluster/clusterState.ts'
import type { HelmAndKubectl } from '../../../src/canary/cluster/helmAndKubectl.ts'
import { readAutoscalers } from '../../../src/canary/cluster/readAutoscalers.ts'
import { Failure } from '../../../src/canary/errors.ts'

const pods = (name: string): Workload => ({ name, image: 'i', version: 'v', wanted: 1, ready: 1, isRolledOut: true })

function read(items: object[] | undefined) {
  const kubectl = async () => {
    if (items) return JSON.stringify({ items })
    throw new Failure('kubectl get: forbidden')
  }
  const tools = { kubectl } as unknown as HelmAndKubectl
  return readAutoscalers(tools, { stable: pods('web-stable'), canary: pods('web-canary') })
}

const metric = (key: string, averageUtilization: number, name = 'cpu') => ({
  type: 'Resource',
  resource: { name, [key]: { averageUtilization } },
})
const scaler = (name: string, metrics: object[], status?: object, kind = 'Deployment') => ({
  spec: { scaleTargetRef: { kind, name }, maxReplicas: 9, metrics },
  status,
})

it('has the load of each release, by the most used of its metrics', async () => {
  const targets = [metric('target', 50), metric('target', 80, 'memory')]
  const current = [metric('current', 75), metric('current', 40, 'memory')]
  const items = [
    scaler('web-stable', targets, { currentReplicas: 4, currentMetrics: current }),
    scaler('web-stable', targets, { currentReplicas: 9, currentMetrics: current }, 'StatefulSet'),
    scaler('another', targets, { currentReplicas: 9, currentMetrics: current }),
  ]
  expect(await read(items)).toEqual({ stable: { load: 6, most: 9 } })
})

it('says why a load is not known', async () => {
  const conditions = [{ type: 'ScalingActive', status: 'False', message: 'no metrics' }]
  const pods = { type: 'Pods' }
  expect(
    await read([
      scaler('web-stable', [metric('target', 50)], { currentReplicas: 4, conditions }),
      scaler('web-canary', [pods], { currentReplicas: 4, currentMetrics: [pods] }),
    ]),
  ).toEqual({ stable: { load: 'no metrics', most: 9 }, canary: { load: 'it has measured no utilization', most: 9 } })
  expect(await read([scaler('web-stable', [metric('target', 50)])])).toMatchObject({
    stable: { load: 'it has measured no utilization' },
  })
  expect(await read(undefined)).toBe('kubectl get: forbidden')
})
