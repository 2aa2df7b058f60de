import { expect, it } from 'vitest'
import { assertValid } from './api.ts'
import { type Role, render } from './render.ts'

const recorded = { podMonitor: { enabled: true, labels: { release: 'prometheus' } } }

it('the weights of the route are recorded for Prometheus, beside the monitor of stable', async () => {
  const values = { ...recorded, traffic: { stable: 1_000_000, canary: 0 } }
  const { PrometheusRule, PodMonitor } = await render('stable', { values })
  if (!PrometheusRule) throw new Error('there is no PrometheusRule')
  assertValid(PrometheusRule)
  expect(PrometheusRule.metadata).toEqual(PodMonitor?.metadata)
  const weight = (role: Role, expr: string) => ({
    record: 'devops_api:traffic_weight',
    expr,
    labels: { namespace: 'demo', role },
  })
  expect(PrometheusRule.spec.groups).toEqual([
    { name: 'devops-api-stable', rules: [weight('stable', 'vector(1000000)'), weight('canary', 'vector(0)')] },
  ])
})

it.each<[what: string, role: Role, values: object]>([
  ['another controller has the route', 'stable', { ...recorded, gateway: { route: false } }],
  ['nobody monitors', 'stable', {}],
  ['canary is monitored', 'canary', recorded],
])('no weights are recorded where %s', async (_, role, values) => {
  expect(await render(role, { values: { ...values } })).not.toHaveProperty('PrometheusRule')
})
