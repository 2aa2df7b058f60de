import { describe, expect, it } from 'vitest'
import type { Revision } from '../../../src/canary/cluster/clusterState.ts'
import { podValuesToRestore } from '../../../src/canary/promotion/podValuesToRestore.ts'
import type { Weights } from '../../../src/canary/values/weights.ts'

const w = (text: string): Weights => {
  const [stable = 0, canary = 0] = text.split('/').map(Number)
  return { stable, canary }
}

describe('podValuesToRestore', () => {
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
    ['written, not applied', next, [revision('0/100', old)], old],
    ['written by hand, not applied', next, [revision('90/10', old)], old],
    ['applied, pending', next, [revision('0/100', next, 'pending-upgrade'), revision('0/100', old)], old],
    ['applied, tried again', next, [revision('0/100', next), revision('0/100', next, 'failed'), revision('0/100', old)], old],
    ['taken back in the file alone', old, [revision('0/100', next), revision('0/100', old)], old],
    ['given from where stable served', next, [revision('0/100', next), revision('50/50', old)], old],
    ['finished', next, [revision('100/0', next), revision('0/100', next), revision('0/100', old)], undefined],
    [
      'finished, and canary tried again',
      next,
      [revision('0/100', next), revision('100/0', next), revision('0/100', old)],
      undefined,
    ],
    ['never begun', old, [revision('50/50', old)], undefined],
    ['never anything else', next, [revision('0/100', next)], undefined],
    ['not installed', next, [], undefined],
  ])('where it is %s', (_, declared, revisions, restored) => {
    const found = podValuesToRestore(next, declared, revisions)
    expect(found && { image: found.image }).toEqual(restored)
  })
})
