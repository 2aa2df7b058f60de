import { expect, it } from 'vitest'
import { samePodValues, withKeysOf, withPodValues } from '../../../src/canary/values/podValues.ts'

it('The same values may be written in two ways', () => {
  expect(samePodValues({ image: { tag: '1' } }, { image: { tag: '1' }, env: {} })).toBe(true)
  expect(samePodValues({ image: { tag: '1' } }, { image: { tag: '1' }, env: { A: '1' } })).toBe(false)
  expect(samePodValues({ image: { tag: '1' } }, { image: { tag: '2' } })).toBe(false)
})

it('Keys are taken over, and go where there are none', () => {
  const stable = { role: 'stable', image: { tag: '1' }, env: { A: '1' }, replicas: 2 }
  expect(withPodValues(stable, { image: { tag: '2' } })).toEqual({ role: 'stable', image: { tag: '2' }, replicas: 2 })
  expect(withKeysOf(stable, { replicas: null, resources: {} }, ['replicas', 'resources', 'env'])).toEqual({
    role: 'stable',
    image: { tag: '1' },
    replicas: null,
    resources: {},
  })
})
