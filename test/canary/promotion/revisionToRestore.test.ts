import { expect, it } from 'vitest'
import type { Revision } from '../../../src/canary/cluster/clusterState.ts'
import { revisionToRestore } from '../../../src/canary/promotion/revisionToRestore.ts'
import type { Weights } from '../../../src/canary/values/weights.ts'

const w = (text: string): Weights => {
  const [stable = 0, canary = 0] = text.split('/').map(Number)
  return { stable, canary }
}

const old = { image: { tag: '1' } }
const next = { image: { tag: '2' } }
let number = 100
const revision = (weights: string, podValues: object, status = 'deployed'): Revision => ({
  revision: number--,
  status,
  at: 0,
  values: { ...podValues, traffic: w(weights) },
})

it.each([
  ['written, not applied', [revision('0/100', old)], undefined],
  ['applied, pending', [revision('0/100', next, 'pending-upgrade'), revision('0/100', old)], old],
  ['applied, tried again', [revision('0/100', next), revision('0/100', next, 'failed'), revision('0/100', old)], old],
  ['given from where stable served', [revision('0/100', next), revision('50/50', old)], old],
  ['finished', [revision('100/0', next), revision('0/100', next), revision('0/100', old)], undefined],
  ['finished, and canary tried again', [revision('0/100', next), revision('100/0', next), revision('0/100', old)], undefined],
  ['never begun', [revision('50/50', old)], undefined],
  ['never anything else', [revision('0/100', next)], undefined],
  ['not installed', [], undefined],
])('where it is %s', (_, revisions, restored) => {
  const found = revisionToRestore(revisions, ({ values }) => values.image?.tag === '2')
  expect(found && { image: found.values.image }).toEqual(restored)
})
