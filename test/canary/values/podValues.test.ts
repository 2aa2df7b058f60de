import { expect, it } from 'vitest'
import { podValuesOf, withPodValues } from '../../../src/canary/values/podValues.ts'
import type { Values } from '../../../src/canary/values/values.ts'

const stable = { role: 'stable', traffic: { stable: 90 }, image: { tag: '1' }, replicas: 2 }
const defaults = { image: { repository: 'r', tag: '' }, env: {}, resources: { limits: { memory: '192Mi' } } }
const from = (values: Values, computed: Values = { ...defaults, ...values }) => ({ values, computed })

it('What a release keeps for itself shapes no pods', () => {
  expect(podValuesOf({ ...stable, gateway: {}, serviceAccount: {}, env: { A: '1' } })).toEqual({
    image: { tag: '1' },
    env: { A: '1' },
  })
})

it.each<[string, Values, Values, Values, Values[]?]>([
  ['an image and an environment', {}, { image: { tag: '2' }, env: { A: '1' } }, { image: { tag: '2' }, env: { A: '1' } }],
  [
    'resources',
    {},
    { image: { tag: '1' }, resources: { limits: { memory: '256Mi' } } },
    { resources: { limits: { memory: '256Mi' } } },
  ],
  ['lists, whole', { tolerations: [{ key: 'a' }] }, { image: { tag: '1' }, tolerations: [] }, { tolerations: [] }],
  ['nothing of what canary does not set', { env: { A: '1' } }, { image: { tag: '1' } }, {}],
  [
    'nothing in the place of what has the same effect',
    { env: {}, resources: { limits: { memory: '192Mi' } } },
    { image: { tag: '1' } },
    { resources: { limits: { memory: '192Mi' } } },
  ],
  [
    'nothing that a file laid over it says already',
    {},
    { image: { tag: '1', repository: 'x' }, podLabels: { a: 'b' } },
    { podLabels: { a: 'b' } },
    [{ image: { repository: 'x' } }],
  ],
  ["nothing of canary's own", {}, { role: 'canary', image: { tag: '1' }, replicas: 5, gateway: { enabled: false } }, {}],
])('Stable is given %s', (_, own, canary, given, overlays = []) => {
  const file = { ...stable, ...own }
  const expected: Record<string, unknown> = { ...stable, ...given }
  expect(withPodValues(file, from(canary), overlays)).toEqual(expected)
  // What is given is given.
  expect(withPodValues(withPodValues(file, from(canary), overlays), from(canary), overlays)).toEqual(expected)
})

it('The order of the file stays', () => {
  const file = { env: { A: '1' }, role: 'stable', image: { tag: '1' } }
  expect(Object.keys(withPodValues(file, from({ image: { tag: '2' }, podLabels: { a: 'b' }, env: { A: '2' } })))).toEqual([
    'env',
    'role',
    'image',
    'podLabels',
  ])
})
