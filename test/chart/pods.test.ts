import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { IJob } from 'kubernetes-models/batch/v1/Job'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { Manifest } from '../../src/demo/render.ts'
import { assertValid } from './api.ts'
import { chart, type Options, podTemplates, type Role, render } from './render.ts'

async function pod(role: Role, options: Options = {}) {
  const [service] = podTemplates(await render(role, options))
  if (!service) throw new Error('no pod template')
  return service
}

async function environment(role: Role, options: Options = {}) {
  const { container } = await pod(role, options)
  return Object.fromEntries(
    container.env?.map(({ name, value, valueFrom }) => [name, value ?? valueFrom?.fieldRef?.fieldPath]) ?? [],
  )
}

const readJob = async (): Promise<Manifest & IJob> => parse(await readFile(join(chart, 'examples/check-job.yaml'), 'utf8'))

describe('a pod restarts only when something in it changes', () => {
  it.each([
    ['weights', { traffic: { stable: 1, canary: 99 } }],
    ['the preview and the announcement', { traffic: { preview: true, announce: true } }],
    ['the gateway', { gateway: { hostnames: ['example.com'], listener: { port: 80 } } }],
    ['the number of pods', { replicas: 5 }],
    [
      'a budget, a policy, a monitor',
      { podDisruptionBudget: { enabled: true }, networkPolicy: { enabled: true }, podMonitor: { enabled: true } },
    ],
  ])('not for %s', async (_, values) => {
    expect(await pod('stable', { values })).toEqual(await pod('stable'))
  })

  it('but for another version', async () => {
    expect(await pod('stable', { values: { image: { tag: '1.1.2' } } })).not.toEqual(await pod('stable'))
  })
})

describe('the version', () => {
  const digest = `sha256:${'ab'.repeat(32)}`

  it.each([
    ['the tag', { tag: '1.2.3' }, 'devops-api:1.2.3', 'v1.2.3'],
    ['the tag with its v', { tag: 'v1.2.3-canary' }, 'devops-api:v1.2.3-canary', 'v1.2.3-canary'],
    ['the chart without a tag', { tag: '' }, 'devops-api:1.1.1', 'v1.1.1'],
    ['the tag beside a digest', { tag: '1.2.3', digest }, `devops-api@${digest}`, 'v1.2.3'],
    ['the chart beside a digest', { tag: '', digest }, `devops-api@${digest}`, 'v1.1.1'],
    ['any depth of names', { repository: '[fd00::1]:5000/a/b-c_d.e', tag: '1' }, '[fd00::1]:5000/a/b-c_d.e:1', 'v1'],
    ['the tag of another registry', { repository: 'localhost:5000/x', tag: '1.10' }, 'localhost:5000/x:1.10', 'v1.10'],
  ])('comes from %s', async (_, image, reference, version) => {
    expect((await pod('stable', { values: { image } })).container.image).toBe(reference)
    expect(await environment('stable', { values: { image } })).toMatchObject({ DEVOPSAPI_VERSION: version })
  })

  it.each([
    ['devops-api', 'mirror:5000/devops-api'],
    ['team/devops-api', 'mirror:5000/team/devops-api'],
    ['ghcr.io/team/devops-api', 'mirror:5000/team/devops-api'],
    ['localhost/x', 'mirror:5000/x'],
    ['other:5000/x', 'mirror:5000/x'],
  ])('of %s comes from the registry that a parent chart names', async (repository, name) => {
    const values = { global: { imageRegistry: 'mirror:5000' }, image: { repository } }
    for (const { container } of podTemplates(await render('stable', { values }))) expect(container.image).toBe(`${name}:1.1.1`)
  })

  it('can be any that a header can carry', async () => {
    const version = `"2\\" ${'~'.repeat(120)} {!`
    expect(version).toHaveLength(128)
    expect(await environment('canary', { values: { env: { DEVOPSAPI_VERSION: version } } })).toMatchObject({
      DEVOPSAPI_VERSION: version,
    })
  })
})

describe('the environment', () => {
  it('says who the pod is', async () => {
    expect(await environment('canary')).toEqual({
      DEVOPSAPI_VERSION: 'v1.1.1-canary',
      DEVOPSAPI_ROLE: 'canary',
      DEVOPSAPI_POD: 'metadata.name',
    })
  })

  it('is extended by env, with every name once', async () => {
    const values = { env: { DEVOPSAPI_VERSION: 'v2', LOG_LEVEL: 'debug', MOTTO: 'true\n"é"', FAULT_ERROR_RATE: '0.1' } }
    const { container } = await pod('stable', { values })
    expect(container.env?.map(({ name }) => name)).toEqual([
      'DEVOPSAPI_VERSION',
      'DEVOPSAPI_ROLE',
      'DEVOPSAPI_POD',
      'FAULT_ERROR_RATE',
      'LOG_LEVEL',
      'MOTTO',
    ])
    expect(await environment('stable', { values })).toMatchObject(values.env)
  })
})

describe('a canary for a demonstration', () => {
  it.each([
    ['bad-canary', { FAULT_ERROR_RATE: '0.2' }],
    ['slow-canary', { FAULT_DELAY_MS: '50', FAULT_DELAY_P99_MS: '800' }],
    ['never-ready', { FAULT_READY_AFTER_MS: '-1' }],
    ['leaking-canary', { FAULT_LEAK_MIB_PER_S: '1' }],
    ['crashing-canary', { FAULT_CRASH_AFTER_MS: '20000' }],
    ['resetting-canary', { FAULT_RESET_RATE: '0.5' }],
  ])('%s differs by its faults alone', async (name, faults) => {
    const [usual, faulty] = await Promise.all([
      environment('canary'),
      environment('canary', { overlays: [`examples/${name}.yaml`] }),
    ])
    expect(faulty).toEqual({ ...usual, ...faults })
  })
})

describe('every pod', () => {
  it('meets the restricted Pod Security Standard, and gets no API token', async () => {
    for (const { spec, container } of podTemplates(await render('stable'))) {
      expect(spec.securityContext).toEqual({
        runAsNonRoot: true,
        runAsUser: 65532,
        runAsGroup: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      })
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      expect(spec.containers).toHaveLength(1)
      expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false })
    }
  })

  it('leaves its user to the platform where that is wanted, and still meets the standard', async () => {
    for (const { spec } of podTemplates(await render('stable', { overlays: ['examples/openshift.yaml'] }))) {
      expect(spec.securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
    }
    for (const { spec } of podTemplates(await render('stable', { values: { runAsUser: 1_000_700_000 } }))) {
      expect(spec.securityContext).toMatchObject({ runAsUser: 1_000_700_000, runAsGroup: 1_000_700_000 })
    }
  })

  it('runs with the identity, on the nodes and from the image that the values choose', async () => {
    const imagePullSecrets = [{ name: 'registry' }]
    const nodeSelector = { 'kubernetes.io/arch': 'arm64' }
    const tolerations = [{ key: 'spot', operator: 'Exists' }]
    const image = { repository: 'example.com/x', pullPolicy: 'Always' }
    const resources = { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '1Gi' } }
    const release = await render('canary', {
      values: { serviceAccount: { create: false, name: 'web' }, imagePullSecrets, nodeSelector, tolerations, image, resources },
    })
    expect(release.ServiceAccount).toBeUndefined()
    for (const { spec, container } of podTemplates(release)) {
      expect(spec).toMatchObject({ serviceAccountName: 'web', imagePullSecrets, nodeSelector, tolerations })
      expect(container).toMatchObject({ image: 'example.com/x:1.1.1', imagePullPolicy: 'Always', resources })
    }
  })

  it.each([
    ['its own', {}, 'devops-api-stable'],
    ['the default', { create: false }, 'default'],
  ])('has %s service account', async (_, serviceAccount, name) => {
    for (const { spec } of podTemplates(await render('stable', { values: { serviceAccount } }))) {
      expect(spec.serviceAccountName).toBe(name)
    }
  })
})

describe('the Job that checks the split', () => {
  it('is what the API server accepts, tries once, and keeps its log for a while', async () => {
    const job = await readJob()
    assertValid(job)
    expect(job.spec).toMatchObject({ backoffLimit: 0, ttlSecondsAfterFinished: 3600 })
    expect(job.spec).not.toHaveProperty('activeDeadlineSeconds')
  })

  it('runs the image as helm test of stable does, and expects what its values say', async () => {
    const { Pod, HTTPRoute } = await render('stable', { values: { test: { gatewayAddress: 'traefik.default:80' } } })
    const { spec } = (await readJob()).spec?.template ?? {}
    const { serviceAccountName: _, containers: [test] = [], ...pod } = Pod.spec ?? { containers: [] }
    const { containers: [check] = [], ...rest } = spec ?? { containers: [] }
    expect(rest).toEqual(pod)
    const { image, imagePullPolicy, securityContext, resources } = test ?? {}
    expect(check).toMatchObject({ image, imagePullPolicy, securityContext, resources })
    const args = check?.args?.join(' ') ?? ''
    expect(args).toBe(
      'canary.js check http://traefik.default:80 --host=devops-api.devops-db.internal --expect=stable=90,canary=10 --rate=500',
    )
    expect(test?.args?.slice(3, -1).join(' ').replace('--', 'canary.js').replaceAll(', ', ',')).toBe(args)
    expect(HTTPRoute?.spec.hostnames).toEqual(['devops-api.devops-db.internal'])
  })
})

describe('the service', () => {
  it('is reached on port 80, answers on 8080 and is checked where it says how it is', async () => {
    const { Service } = await render('stable')
    expect(Service.spec?.ports).toEqual([{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }])
    const { container } = await pod('stable')
    expect(container.ports).toEqual([{ name: 'http', containerPort: 8080, protocol: 'TCP' }])
    expect(container.readinessProbe).toMatchObject({ httpGet: { path: '/readyz', port: 'http' } })
    expect(container.livenessProbe).toMatchObject({ httpGet: { path: '/livez', port: 'http' } })
  })

  it('has a Service of one family of addresses or both, as the cluster or the values say', async () => {
    expect((await render('stable')).Service.spec).not.toHaveProperty('ipFamilyPolicy')
    const { Service } = await render('stable', { values: { service: { ipFamilyPolicy: 'PreferDualStack' } } })
    expect(Service.spec).toMatchObject({ ipFamilyPolicy: 'PreferDualStack' })
  })

  it('keeps answering while gateways notice that it stops', async () => {
    const { spec, container } = await pod('stable')
    expect(container.lifecycle).toEqual({ preStop: { sleep: { seconds: 5 } } })
    expect(spec.terminationGracePeriodSeconds).toBe(30)
    expect((await pod('stable', { values: { preStopSleepSeconds: 0 } })).container).not.toHaveProperty('lifecycle')
  })

  it('has a new pod ready before an old one goes', async () => {
    const { Deployment } = await render('stable')
    expect(Deployment.spec).toMatchObject({
      replicas: 2,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    })
  })

  it.each([
    ['an autoscaler', { autoscaling: { enabled: true } }],
    ['another controller', { replicas: null }],
  ])('leaves the number of pods to %s', async (_, values) => {
    expect((await render('stable', { values })).Deployment.spec).not.toHaveProperty('replicas')
  })

  it('can be parked', async () => {
    expect((await render('canary', { values: { replicas: 0 } })).Deployment.spec).toMatchObject({ replicas: 0 })
  })

  it('takes labels, annotations, probe timing, placement and volumes from the values', async () => {
    const extraVolumes = [{ name: 'tmp', emptyDir: {} }]
    const extraVolumeMounts = [{ name: 'tmp', mountPath: '/tmp' }]
    const affinity = { podAffinity: {} }
    const labelSelector = { matchLabels: { team: 'web' } }
    const spread = { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' }
    const { Deployment, ...release } = await render('stable', {
      values: {
        podLabels: { team: 'web' },
        podAnnotations: { 'prometheus.io/scrape': 'true' },
        probes: { readiness: { periodSeconds: 3 } },
        topologySpreadConstraints: [{ ...spread, labelSelector }],
        priorityClassName: 'important',
        affinity,
        extraVolumes,
        extraVolumeMounts,
      },
    })
    expect(Deployment.spec?.template.metadata).toMatchObject({
      labels: { team: 'web' },
      annotations: { 'prometheus.io/scrape': 'true' },
    })
    const [service] = podTemplates({ Deployment, ...release })
    expect(service?.spec).toMatchObject({
      priorityClassName: 'important',
      affinity,
      volumes: extraVolumes,
    })
    expect(service?.spec.topologySpreadConstraints).toEqual([{ ...spread, labelSelector }])
    expect(service?.container).toMatchObject({
      volumeMounts: extraVolumeMounts,
      readinessProbe: { periodSeconds: 3, timeoutSeconds: 1 },
    })
  })
})
