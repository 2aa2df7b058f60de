import { describe, expect, it } from 'vitest'
import { Sample } from '../../../src/canary/sampling/sample.ts'
import { agreesWith } from '../../../src/canary/verdict/waitForReplies.ts'

describe('agreesWith', () => {
  const sample = (stable: number, canary: number, failed = 0, version = 'v1') => {
    const all = new Sample()
    for (let i = 0; i < stable; i++) all.add({ version, role: 'stable' })
    for (let i = 0; i < canary; i++) all.add({ version: 'v2', role: 'canary' })
    for (let i = 0; i < failed; i++) all.add({ error: '500 without a version' })
    return all
  }
  const split = (share: number) => [
    { role: 'stable' as const, version: 'v1', share },
    { role: 'canary' as const, version: 'v2', share: 1 - share },
  ]
  it.each([
    [sample(150, 50), 0.75, true],
    [sample(160, 40), 0.75, true],
    [sample(180, 20), 0.75, false],
    [sample(150, 0, 50), 0.75, true],
    [sample(200, 0), 1, true],
    [sample(199, 1), 1, false],
    [sample(199, 0, 1), 1, false],
    [sample(0, 200), 0, true],
    [sample(0, 0, 200), 0, true],
    [sample(1, 199), 0, false],
    [sample(200, 0, 0, 'v0'), 1, false],
    [sample(1, 199, 0, 'v0'), 0, false],
    [sample(0, 0), 0, false],
  ])('%# judges by stable', (given, share, expected) => {
    expect(agreesWith(given, split(share))).toBe(expected)
  })
})
