import { expect, it } from 'vitest'
import type { Releases } from '../../src/demo/render.ts'
import { unsupported } from '../../src/demo/unsupported.ts'
import { releases } from './releases.ts'

const always = {
  objects: ['Gateway (this program takes its place)', 'ServiceAccount'],
  fields: [
    'automountServiceAccountToken',
    'enableServiceLinks',
    'image (this checkout runs instead)',
    'imagePullPolicy',
    'resources.requests',
    'securityContext',
    'serviceAccountName',
  ],
}

it('names what of the chart has no effect, once for both releases', async () => {
  expect(unsupported(await releases())).toEqual(always)
})

it('names what a command of the user does not get, either', async () => {
  const { objects, fields } = unsupported(await releases(), 'node server.js')
  const ours = always.fields.filter((field) => !/^(image |resources)/.test(field))
  expect(objects).toEqual(always.objects)
  expect(fields).toEqual([...ours, 'image ("node server.js" runs instead)', 'resources'].sort())
})

it('names what either release adds', async () => {
  const stable = {
    gateway: { create: false, name: 'shared' },
    serviceAccount: { create: false },
    autoscaling: { enabled: true },
    networkPolicy: { enabled: true },
    extraVolumes: [{ name: 'tmp', emptyDir: {} }],
    extraVolumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
    affinity: { podAffinity: {} },
  }
  const canary = {
    serviceAccount: { create: false },
    podDisruptionBudget: { enabled: true },
    podMonitor: { enabled: true },
    imagePullSecrets: [{ name: 'registry' }],
    nodeSelector: { a: 'b' },
    tolerations: [{ operator: 'Exists' }],
    priorityClassName: 'high',
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }],
  }
  expect(unsupported(await releases({ stable, canary }))).toEqual({
    objects: ['HorizontalPodAutoscaler (its fewest pods run)', 'NetworkPolicy', 'PodDisruptionBudget', 'PodMonitor'],
    fields: [
      'affinity',
      'automountServiceAccountToken',
      'enableServiceLinks',
      'image (this checkout runs instead)',
      'imagePullPolicy',
      'imagePullSecrets',
      'nodeSelector',
      'priorityClassName',
      'resources.requests',
      'securityContext',
      'serviceAccountName',
      'tolerations',
      'topologySpreadConstraints',
      'volumeMounts',
      'volumes',
    ],
  })
})

it('names what a chart could render one day, and values that are not honoured', () => {
  const container = {
    name: 'c',
    args: ['x'],
    env: [
      { name: 'A', valueFrom: { secretKeyRef: {} } },
      { name: 'B', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
    ],
    readinessProbe: { httpGet: { path: '/', port: 1, scheme: 'HTTPS' }, initialDelaySeconds: 1 },
  }
  const template = { spec: { containers: [container], initContainers: [] } }
  const Deployment = { kind: 'Deployment', metadata: {}, spec: { strategy: { type: 'Recreate' }, minReadySeconds: 1, template } }
  const Service = { kind: 'Service', metadata: {}, spec: { type: 'NodePort', sessionAffinity: 'ClientIP' } }
  expect(unsupported({ stable: { Deployment, Service }, canary: {} } as unknown as Releases)).toEqual({
    objects: [],
    fields: [
      'args',
      'env.valueFrom.fieldRef.fieldPath: spec.nodeName',
      'env.valueFrom.secretKeyRef',
      'initContainers',
      'minReadySeconds',
      'readinessProbe.httpGet.scheme',
      'readinessProbe.initialDelaySeconds',
      'sessionAffinity',
      'strategy.type: Recreate',
      'type: NodePort',
    ],
  })
})
