import { expect, it } from 'vitest'
import { changes } from '../../src/demo/changes.ts'
import type { Values } from '../chart/render.ts'
import { releases } from './releases.ts'

interface Both {
  stable?: Values
  canary?: Values
}

/** What is said after an edit of the values, subject and text in one line. */
async function said(before: Both, after: Both) {
  const [from, to] = await Promise.all([releases(before), releases(after)])
  return changes(from, to).map(({ subject, text }) => `${subject}: ${text}`)
}

const traffic = (traffic: object) => ({ stable: { traffic } })

it.each<[string, Both, Both, string[]]>([
  ['weights', {}, traffic({ stable: 50, canary: 50 }), ['traffic: 90/10 → 50/50']],
  ['the end of a canary', {}, traffic({ stable: 100, canary: 0 }), ['traffic: 90/10 → 100/0']],
  ['a promotion', traffic({ stable: 0, canary: 100 }), {}, ['traffic: 0/100 → 90/10']],
  ['the preview', {}, traffic({ preview: true }), ['preview: off → "x-canary: always" goes to devops-api-canary']],
  ['the end of the preview', traffic({ preview: true }), {}, ['preview: "x-canary: always" goes to devops-api-canary → off']],
  ['the announcement', {}, traffic({ announce: true }), ['announce: off → replies say traffic-split']],
  ['weights that are announced', traffic({ announce: true }), traffic({ announce: true, stable: 1 }), ['traffic: 90/10 → 1/10']],
  [
    'host names',
    {},
    { stable: { gateway: { hostnames: ['a.example', '*.b.example'] } } },
    ['hostnames: devops-api.devops-db.internal → a.example, *.b.example'],
  ],
  ['no host name', {}, { stable: { gateway: { hostnames: [] } } }, ['hostnames: devops-api.devops-db.internal → any']],
  [
    'the route',
    traffic({ preview: true, announce: true }),
    { stable: { gateway: { enabled: false } } },
    ['traffic: 90/10 → no route', 'stable: Gateway removed, without effect here'],
  ],
  [
    'the environment',
    {},
    { canary: { env: { DEVOPSAPI_VERSION: 'v2', FAULT_ERROR_RATE: '0.2' } } },
    ['canary: version v1.1.1-canary → v2, FAULT_ERROR_RATE – → 0.2: rolling 2 pods'],
  ],
  [
    'the environment back',
    { canary: { env: { FAULT_ERROR_RATE: '0.2', EMPTY: '' } } },
    {},
    ['canary: EMPTY "" → –, FAULT_ERROR_RATE 0.2 → –: rolling 2 pods'],
  ],
  [
    'the tag',
    { stable: { replicas: 1 } },
    { stable: { replicas: 1, image: { tag: '2.0.0' } } },
    ['stable: version v1.1.1 → v2.0.0, image devops-api:1.1.1 → devops-api:2.0.0: rolling 1 pod'],
  ],
  ['the number of pods', {}, { canary: { replicas: 3 } }, ['canary: replicas 2 → 3']],
  [
    'the number of pods and what is in them',
    {},
    { canary: { replicas: 3, env: { A: '1' } } },
    ['canary: replicas 2 → 3, A – → 1: rolling 2 pods'],
  ],
  ['a pod where there is none', { canary: { replicas: 0 } }, { canary: { replicas: 0, env: { A: '1' } } }, ['canary: A – → 1']],
  [
    'what has no words of its own',
    {},
    { stable: { resources: { limits: null }, podLabels: { a: 'b' }, podAnnotations: { a: 'b' }, tolerations: [{ key: 'a' }] } },
    ['stable: resources, labels, annotations, tolerations changed: rolling 2 pods'],
  ],
  [
    'an object more, and one less',
    { canary: { networkPolicy: { enabled: true } } },
    { canary: { podDisruptionBudget: { enabled: true } } },
    ['canary: NetworkPolicy removed, without effect here', 'canary: PodDisruptionBudget added, without effect here'],
  ],
  [
    'an autoscaler',
    {},
    { stable: { autoscaling: { enabled: true, minReplicas: 3 } } },
    ['stable: replicas 2 → 3', 'stable: HorizontalPodAutoscaler added, without effect here'],
  ],
  [
    'both releases',
    {},
    { stable: { replicas: 1 }, canary: { replicas: 4 } },
    ['stable: replicas 2 → 1', 'canary: replicas 2 → 4'],
  ],
  [
    'the port of the gateway',
    {},
    { stable: { gateway: { listener: { port: 80 } } } },
    ['stable: Gateway changed, without effect here'],
  ],
  ['nothing', {}, {}, []],
])('%s', async (_, before, after, expected) => {
  const lines = await said(before, after)
  expect(lines.sort()).toEqual(expected.sort())
})

it('a route that differs in a way without words is mentioned all the same', async () => {
  const [from, to] = await Promise.all([releases(), releases()])
  to.stable.HTTPRoute?.spec.rules[0]?.matches?.pop()
  expect(changes(from, to)).toEqual([{ subject: 'route', text: 'HTTPRoute changed' }])
})

it('pods that differ in a way without words are mentioned all the same', async () => {
  const [from, to] = await Promise.all([releases(), releases()])
  Object.assign(to.canary.Deployment.spec?.template.spec?.securityContext ?? {}, { fsGroup: 1 })
  expect(changes(from, to)).toEqual([{ subject: 'canary', text: 'pods changed: rolling 2 pods' }])
})

it('labels of objects, which follow the version of the chart, are not worth a line', async () => {
  const [from, to] = await Promise.all([releases(), releases()])
  for (const { metadata } of Object.values(to.stable)) metadata.labels['helm.sh/chart'] = 'devops-api-9'
  expect(changes(from, to)).toEqual([])
})
