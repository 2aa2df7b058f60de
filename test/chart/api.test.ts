import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { assertValid } from './api.ts'
import { helm, manifests, type Options, type Release, type Role, render, valuesArguments } from './render.ts'

const everything = `
image:
  digest: sha256:${'0'.repeat(64)}
imagePullSecrets: [{ name: registry }]
env:
  LOG_LEVEL: debug
  "N": "y"
networkPolicy:
  from: [{ ipBlock: { cidr: 10.0.0.0/8 } }]
podMonitor:
  labels: { release: prometheus }
serviceAccount:
  annotations: { example.com/identity: devops-api }
podAnnotations: { prometheus.io/scrape: "true" }
podLabels: { team: web }
nodeSelector: { kubernetes.io/arch: amd64 }
tolerations: [{ key: spot, operator: Exists, effect: NoSchedule }]
affinity:
  podAntiAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - { topologyKey: kubernetes.io/hostname, labelSelector: { matchLabels: { team: web } } }
priorityClassName: important
extraVolumes: [{ name: tmp, emptyDir: {} }]
extraVolumeMounts: [{ name: tmp, mountPath: /tmp }]
`

const releases: [name: string, Role, Options][] = [
  ['stable', 'stable', {}],
  ['canary', 'canary', {}],
  ['stable with every rule', 'stable', { values: { traffic: { preview: true, announce: true } } }],
  ['stable without weight', 'stable', { values: { traffic: { stable: 0, canary: 1_000_000 } } }],
  ['stable on any host name', 'stable', { values: { gateway: { hostnames: [] } } }],
  ['stable in production', 'stable', { overlays: ['examples/production.yaml'] }],
  ['canary in production', 'canary', { overlays: ['examples/production.yaml'] }],
  ['stable with everything', 'stable', { overlays: ['examples/production.yaml'], values: everything }],
  ['canary with everything', 'canary', { overlays: ['examples/production.yaml'], values: everything }],
  ['stable on a shared gateway', 'stable', { overlays: ['examples/shared-gateway.yaml'] }],
  ['a bad canary', 'canary', { overlays: ['examples/bad-canary.yaml'] }],
  ['a slow canary', 'canary', { overlays: ['examples/slow-canary.yaml'] }],
  ['a canary that is never ready', 'canary', { overlays: ['examples/never-ready.yaml'] }],
  ['a canary that leaks', 'canary', { overlays: ['examples/leaking-canary.yaml'] }],
  ['a canary that crashes', 'canary', { overlays: ['examples/crashing-canary.yaml'] }],
  ['a canary that resets connections', 'canary', { overlays: ['examples/resetting-canary.yaml'] }],
]

describe('the API server would accept every object of', () => {
  it.each(releases)('%s', async (_, role, options) => {
    for (const manifest of manifests(await render(role, options))) assertValid(manifest)
  })
})

it('means the same to readers of YAML 1.1, as Kubernetes is, and 1.2', async () => {
  const values = `${everything}traffic: { preview: true, previewHeader: { name: "Y", value: "no" }, announce: true }`
  const { stdout } = await helm(
    [
      'template',
      'on',
      '.',
      ...valuesArguments('stable', { overlays: ['examples/production.yaml'], values }),
      '--namespace',
      '1e3',
    ],
    { input: values },
  )
  const read = (version: '1.1' | '1.2') => parseAllDocuments(stdout, { version }).map((document) => document.toJS())
  expect(read('1.1').length).toBeGreaterThan(9)
  expect(read('1.1')).toEqual(read('1.2'))
})

describe('and would refuse', () => {
  const stable = () => render('stable') as Promise<Required<Release>>

  it('a version of a kind that it does not have', () => {
    const manifest = { apiVersion: 'autoscaling/v2beta9', kind: 'HorizontalPodAutoscaler' }
    expect(() => assertValid(manifest)).toThrow('autoscaling/v2beta9 HorizontalPodAutoscaler is no known type')
  })

  it('an unknown field, at the top and deep inside', async () => {
    const { Service, HTTPRoute } = await stable()
    expect(() => assertValid(Object.assign({ sepc: {} }, Service))).toThrow('data/sepc is unknown')
    Object.assign(Service.metadata, { lables: {} })
    expect(() => assertValid(Service)).toThrow('data/metadata/lables is unknown')
    Object.assign(HTTPRoute.spec.rules[0]?.backendRefs?.[0] ?? {}, { wieght: 1 })
    expect(() => assertValid(HTTPRoute)).toThrow('data/spec/rules/0/backendRefs/0/wieght is unknown')
  })

  it('a value of the wrong type or out of bounds', async () => {
    const { Service, HTTPRoute } = await stable()
    Object.assign(Service.spec?.ports?.[0] ?? {}, { port: '80' })
    expect(() => assertValid(Service)).toThrow('data/spec/ports/0/port must be integer')
    Object.assign(HTTPRoute.spec.rules[0]?.backendRefs?.[0] ?? {}, { weight: 1_000_001 })
    expect(() => assertValid(HTTPRoute)).toThrow('data/spec/rules/0/backendRefs/0/weight must be <= 1000000')
  })
})
