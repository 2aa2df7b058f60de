import { describe, expect, it } from 'vitest'
import type { Release } from '../../src/demo/render.ts'
import { workload } from '../../src/demo/workload.ts'
import type { Values } from '../chart/render.ts'
import { releases } from './releases.ts'

const canary = async (values: Values = {}) => workload((await releases({ canary: values })).canary)

/** A release with this in its Deployment, and in the container of its pods. */
function made(spec: object, container: object = {}, minReplicas?: number): Release {
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', ...container }] } }
  return {
    Deployment: { metadata: { name: 'd' }, spec: { selector: {}, template, ...spec } },
    ...(minReplicas && { HorizontalPodAutoscaler: { spec: { minReplicas } } }),
  } as unknown as Release
}

it('says all that the chart renders and a process can honour', async () => {
  expect(await canary({ env: { FAULT_ERROR_RATE: '0.2' } })).toEqual({
    name: 'devops-api-canary',
    replicas: 2,
    maxSurge: 1,
    maxUnavailable: 0,
    template: {
      hash: expect.stringMatching(/^[bcdfghjklmnpqrstvwxz2456789]{9}$/),
      labels: expect.objectContaining({ app: 'devops-api-canary', role: 'canary' }),
      env: [
        { name: 'DEVOPSAPI_VERSION', value: 'v1.1.1-canary' },
        { name: 'DEVOPSAPI_ROLE', value: 'canary' },
        { name: 'DEVOPSAPI_POD' },
        { name: 'FAULT_ERROR_RATE', value: '0.2' },
      ],
      ports: [8080, 'http'],
      readiness: { path: '/readyz', periodMs: 2_000, timeoutMs: 1_000, failureThreshold: 3 },
      liveness: { path: '/livez', periodMs: 10_000, timeoutMs: 2_000, failureThreshold: 3 },
      memoryLimit: 192 * 1024 ** 2,
      preStopMs: 5_000,
      graceMs: 30_000,
    },
  })
})

it('has another hash when anything in the pods is different, and only then', async () => {
  const hash = async (values: Values) => (await canary(values)).template.hash
  const usual = await hash({})
  for (const same of [{}, { replicas: 5 }, { podDisruptionBudget: { enabled: true } }]) expect(await hash(same)).toBe(usual)
  const others = [{ env: { A: '1' } }, { podAnnotations: { a: 'b' } }, { resources: { limits: null } }, { image: { tag: '2' } }]
  const hashes = await Promise.all(others.map(hash))
  expect(new Set([usual, ...hashes]).size).toBe(5)
})

describe('without a number of pods', () => {
  it('the fewest of the autoscaler run', async () => {
    expect(await canary({ autoscaling: { enabled: true, minReplicas: 4 } })).toMatchObject({ replicas: 4 })
  })

  it('one runs where nobody says more', async () => {
    expect(await canary({ replicas: null })).toMatchObject({ replicas: 1 })
  })

  it('none run where none are asked for', async () => {
    expect(await canary({ replicas: 0 })).toMatchObject({ replicas: 0 })
  })
})

describe('what a manifest leaves out is as in Kubernetes', () => {
  it('in the strategy: a quarter, rounded towards progress for more and away from it for fewer', () => {
    expect(workload(made({ replicas: 5 }))).toMatchObject({ maxSurge: 2, maxUnavailable: 1 })
    const strategy = { rollingUpdate: { maxSurge: '50%', maxUnavailable: '40%' } }
    expect(workload(made({ replicas: 3, strategy }))).toMatchObject({ maxSurge: 2, maxUnavailable: 1 })
  })

  it('in a probe', () => {
    const readinessProbe = { httpGet: { port: 80 } }
    const { readiness, liveness } = workload(made({}, { ports: [{ containerPort: 80 }], readinessProbe })).template
    expect(readiness).toEqual({ path: '/', periodMs: 10_000, timeoutMs: 1_000, failureThreshold: 3 })
    expect(liveness).toBeUndefined()
  })

  it('at the end of a pod', () => {
    expect(workload(made({})).template).toMatchObject({ preStopMs: 0, graceMs: 30_000 })
  })

  it('in the environment', () => {
    const env = [{ name: 'A' }, { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }]
    expect(workload(made({}, { env })).template.env).toEqual([{ name: 'A', value: '' }])
  })
})

it.each([
  ['192Mi', 201_326_592],
  ['0.5Gi', 536_870_912],
  ['200M', 200_000_000],
  ['128k', 128_000],
  [1_000_000, 1_000_000],
])('a memory limit of %s is %i bytes', (memory, bytes) => {
  expect(workload(made({}, { resources: { limits: { memory } } })).template.memoryLimit).toBe(bytes)
})

describe('no process can stand in for', () => {
  it.each([0, 2])('a pod with %i containers', (n) => {
    const template = { spec: { containers: Array(n).fill({ name: 'c' }) } }
    expect(() => workload(made({ template }))).toThrow('Deployment d must have one container')
  })

  it('a memory limit that is no quantity', () => {
    const resources = { limits: { memory: '192 MB' } }
    expect(() => workload(made({}, { resources }))).toThrow('The memory limit 192 MB is no quantity')
  })

  it('a probe that is no HTTP', () => {
    expect(() => workload(made({}, { livenessProbe: { exec: {} } }))).toThrow('A probe of container c is no httpGet')
  })

  it('a probe at a port that is not there', () => {
    const probe = { ports: [{ name: 'http', containerPort: 80 }], readinessProbe: { httpGet: { port: 'htpt' } } }
    expect(() => workload(made({}, probe))).toThrow('A probe of container c asks at port htpt, which is none of its ports')
  })
})
