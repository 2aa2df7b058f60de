import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, test } from 'vitest'
import { parse } from '../../src/demo/render.ts'
import { chart, helm, manifests, type Options, podTemplates, type Role, refusal, render, valuesArguments } from './render.ts'

const overlays = ['examples/production.yaml']
const roles: Role[] = ['stable', 'canary']

it.each(roles)('every object of %s has a name that can be predicted, and the role as a label', async (role) => {
  for (const { kind, metadata } of manifests(await render(role, { overlays }))) {
    const name = kind === 'Pod' ? expect.stringMatching(`^devops-api-${role}-test-[0-9a-f]{8}$`) : `devops-api-${role}`
    expect([kind, metadata.name]).toEqual([kind, name])
    expect(metadata.labels).toMatchObject({
      // A gateway's pods may get those of the Gateway.
      ...(kind !== 'Gateway' && { role }),
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

it.each(roles)('every object of %s names its namespace, for those who apply what Helm renders', async (role) => {
  for (const { kind, metadata } of manifests(await render(role, { overlays }))) {
    expect([kind, metadata.namespace]).toEqual([kind, 'demo'])
  }
})

it.each([[[]], [['--namespace', 'default']]])('no object names a namespace with %j, so that kubectl can', async (flags) => {
  const { stdout } = await helm(['template', 'x', '.', ...valuesArguments('stable', { overlays }), ...flags])
  expect(stdout).toContain('kind: Deployment')
  for (const { metadata } of manifests(parse(stdout))) expect(metadata).not.toHaveProperty('namespace')
})

const specs: Record<string, Options> = {
  'the weights': { values: { traffic: { stable: 50, canary: 50 }, test: { gatewayAddress: '10.0.0.1:80' } } },
  'the address': { values: { test: { gatewayAddress: '10.0.0.2:80' } } },
  'the version': { values: { image: { tag: '1.1.2' } } },
  'the version alone': { values: { env: { DEVOPSAPI_VERSION: 'v2' } } },
  'the image': { values: { image: { repository: 'example.com/x' } } },
  resources: { values: { resources: { requests: { cpu: '1' } } } },
  'the node': { values: { nodeSelector: { 'kubernetes.io/arch': 'arm64' } } },
  'the account': { values: { serviceAccount: { create: false } } },
  'the user': { overlays: ['examples/openshift.yaml'] },
}

it.each(Object.entries(specs))('the test is another Pod with another spec, as Pods cannot be changed: %s', async (_, options) => {
  const [usual, again, other] = await Promise.all([
    render('stable'),
    render('stable', { release: 'y' }),
    render('stable', options),
  ])
  expect(other.Pod.spec).not.toEqual(usual.Pod.spec)
  expect(other.Pod.metadata.name).not.toBe(usual.Pod.metadata.name)
  expect(again.Pod.spec).toEqual(usual.Pod.spec)
  expect(again.Pod.metadata.name).toBe(usual.Pod.metadata.name)
})

/** Has `act` look at a copy of the chart with another line in Chart.yaml. */
async function withAbout<T>(from: string, to: string, act: (copy: string) => Promise<T>): Promise<T> {
  const copy = await mkdtemp(join(tmpdir(), 'chart-'))
  try {
    await cp(chart, copy, { recursive: true })
    const about = await readFile(join(copy, 'Chart.yaml'), 'utf8')
    expect(about).toContain(from)
    await writeFile(join(copy, 'Chart.yaml'), about.replace(from, to))
    return await act(copy)
  } finally {
    await rm(copy, { recursive: true })
  }
}

it.each([
  ['1.1.1+build.5', 'devops-api-1.1.1_build.5'],
  [`1.1.1-${'x'.repeat(80)}`, `devops-api-1.1.1-${'x'.repeat(46)}`],
  [`1.1.1-${'x'.repeat(45)}.y`, `devops-api-1.1.1-${'x'.repeat(45)}`],
])('the chart version %s becomes the label %s', async (version, label) => {
  const { Deployment } = await withAbout('version: 1.1.1', `version: ${version}`, (copy) => render('stable', { chart: copy }))
  expect(Deployment.metadata.labels['helm.sh/chart']).toBe(label)
})

it('an appVersion that no tag can be is refused, unless a tag or a digest is given', async () => {
  const values = (image: object) => ({ values: { image: { tag: '', ...image } } })
  await withAbout('appVersion: "1.1.1"', 'appVersion: "1.2.3+build.1"', async (copy) => {
    expect(await refusal('stable', { chart: copy, ...values({}) })).toBe(
      'image.tag is empty, and the chart\'s appVersion is "1.2.3+build.1", which no tag can be. Give image.tag or image.digest.',
    )
    for (const image of [{ tag: '1.2.3' }, { digest: `sha256:${'0'.repeat(64)}` }])
      await expect(render('stable', { chart: copy, ...values(image) })).resolves.toHaveProperty('Deployment')
  })
})

it.each([
  ['v1.1.1-canary', 'v1.1.1-canary'],
  ['2026 spring (beta)', '2026-spring--beta'],
  ['x'.repeat(128), 'x'.repeat(63)],
])('the version %s becomes the label %s', async (version, label) => {
  const release = await render('canary', { values: { env: { DEVOPSAPI_VERSION: version } } })
  for (const { metadata } of manifests(release)) expect(metadata.labels['app.kubernetes.io/version']).toBe(label)
})
