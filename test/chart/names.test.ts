import { expect, it, test } from 'vitest'
import { manifests, podTemplates, type Role, render } from './render.ts'

const overlays = ['examples/production.yaml']
const roles: Role[] = ['stable', 'canary']

it.each(roles)('every object of %s has a name that can be predicted, and the role as a label', async (role) => {
  for (const { kind, metadata } of manifests(await render(role, { overlays }))) {
    expect([kind, metadata.name]).toEqual([kind, kind === 'Pod' ? `devops-api-${role}-test` : `devops-api-${role}`])
    expect(metadata.labels).toMatchObject({
      role,
      'app.kubernetes.io/name': 'devops-api',
      'app.kubernetes.io/instance': `devops-api-${role}`,
      'app.kubernetes.io/managed-by': 'Helm',
    })
  }
})

it.each(roles)('everything that selects pods selects those of %s, and nothing else', async (role) => {
  const release = await render(role, { overlays })
  const selector = { app: `devops-api-${role}`, role }
  expect(release.Deployment.spec?.selector).toEqual({ matchLabels: selector })
  expect(release.Service.spec?.selector).toEqual(selector)
  expect(release.PodDisruptionBudget?.spec?.selector).toEqual({ matchLabels: selector })
  expect(release.NetworkPolicy?.spec?.podSelector).toEqual({ matchLabels: selector })
  expect(release.PodMonitor?.spec.selector).toEqual({ matchLabels: selector })
  expect(release.Deployment.spec?.template.spec?.topologySpreadConstraints).toHaveLength(2)
  for (const constraint of release.Deployment.spec?.template.spec?.topologySpreadConstraints ?? []) {
    expect(constraint.labelSelector).toEqual({ matchLabels: selector })
  }
})

test('a Service selects the pods of its own Deployment alone, not the test of either release', async () => {
  const releases = await Promise.all(roles.map((role) => render(role)))
  const pods = releases.flatMap(podTemplates)
  for (const { Service, Deployment } of releases) {
    const selector = Object.entries(Service.spec?.selector ?? {})
    const selected = pods.filter(({ labels }) => selector.every(([key, value]) => labels[key] === value))
    expect(selected.map(({ labels }) => labels)).toEqual([Deployment.spec?.template.metadata?.labels])
  }
})

test('another release name changes no name and no selector', async () => {
  const [usual, other] = await Promise.all([render('stable'), render('stable', { release: '1e3' })])
  expect(
    JSON.parse(
      JSON.stringify(other).replaceAll('"app.kubernetes.io/instance":"1e3"', '"app.kubernetes.io/instance":"devops-api-stable"'),
    ),
  ).toEqual(usual)
})

it.each([
  ['v1.1.1-canary', 'v1.1.1-canary'],
  ['2026 spring (beta)', '2026-spring--beta'],
  ['x'.repeat(128), 'x'.repeat(63)],
])('the version %s becomes the label %s', async (version, label) => {
  const release = await render('canary', { values: { env: { DEVOPSAPI_VERSION: version } } })
  for (const { metadata } of manifests(release)) expect(metadata.labels['app.kubernetes.io/version']).toBe(label)
})
