import { expect, test } from 'vitest'
import { render } from './render.ts'

const overlays = ['examples/production.yaml']

test('the autoscaler scales the release by CPU', async () => {
  const { HorizontalPodAutoscaler } = await render('canary', { overlays })
  expect(HorizontalPodAutoscaler?.spec).toEqual({
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'devops-api-canary' },
    minReplicas: 3,
    maxReplicas: 20,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }],
    behavior: { scaleDown: { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 10, periodSeconds: 60 }] } },
  })
})

test.each([
  ['stays as large as it is while canary has a share', 'stable', { stable: 0, canary: 1 }, 'Disabled'],
  ['shrinks slowly while canary has none', 'stable', { stable: 1, canary: 0 }, 'Max'],
  ['shrinks slowly, whatever its weight, which it does not know', 'canary', {}, 'Max'],
] as const)('a release with an autoscaler %s', async (_, role, traffic, selectPolicy) => {
  const { HorizontalPodAutoscaler } = await render(role, { overlays, values: { traffic } })
  expect(HorizontalPodAutoscaler?.spec?.behavior?.scaleDown).toMatchObject({ selectPolicy })
})

test('the budget lets a node drain take one pod at a time, and any that never became ready', async () => {
  const { PodDisruptionBudget } = await render('stable', { overlays })
  expect(PodDisruptionBudget?.spec).toMatchObject({ maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' })
})

test('the budget can be a percentage', async () => {
  const { PodDisruptionBudget } = await render('stable', { overlays, values: { podDisruptionBudget: { maxUnavailable: '25%' } } })
  expect(PodDisruptionBudget?.spec).toMatchObject({ maxUnavailable: '25%' })
})

test('the network policy lets in the peers that are named and the test, and nothing out', async () => {
  const { NetworkPolicy, Pod } = await render('stable', { overlays })
  const namespace = (name: string) => ({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } })
  const tester = { podSelector: { matchLabels: { app: 'devops-api-stable-test' } } }
  expect(Pod.metadata.labels).toMatchObject(tester.podSelector.matchLabels)
  expect(NetworkPolicy?.spec).toMatchObject({
    policyTypes: ['Ingress', 'Egress'],
    ingress: [{ ports: [{ port: 'http', protocol: 'TCP' }], from: [namespace('traefik'), namespace('monitoring'), tester] }],
  })
  expect(NetworkPolicy?.spec).not.toHaveProperty('egress')
})

test('the network policy lets anyone in when nobody is named', async () => {
  const { NetworkPolicy } = await render('stable', { values: { networkPolicy: { enabled: true } } })
  expect(NetworkPolicy?.spec?.ingress).toEqual([{ ports: [{ port: 'http', protocol: 'TCP' }] }])
})

test('the monitor scrapes /metrics, and carries the labels that Prometheus selects by', async () => {
  const { PodMonitor } = await render('stable', { overlays, values: { podMonitor: { labels: { release: 'prometheus' } } } })
  expect(PodMonitor?.spec.podMetricsEndpoints).toEqual([{ port: 'http', path: '/metrics', interval: '30s' }])
  expect(PodMonitor?.metadata.labels).toMatchObject({ release: 'prometheus', role: 'stable' })
})
