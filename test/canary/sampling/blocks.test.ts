import { expect, it } from 'vitest'
import { Blocks } from '../../../src/canary/sampling/blocks.ts'

it('Blocks hold what came when', () => {
  const blocks = new Blocks<string>()
  blocks.add(5000, 'a', false, 1)
  blocks.add(5099, 'a', true, 1)
  blocks.add(5100, undefined, true, 1)
  blocks.add(5950, 'b', false, 1)
  // Earlier than the first.
  blocks.add(4000, 'b', false, 1)
  const shown = [...blocks].map(({ requests, errors, sources }) => ({
    requests,
    errors,
    sources: Object.fromEntries([...sources].map(([source, part]) => [source, [part.replies, part.errors]])),
  }))
  expect(shown).toEqual([
    { requests: 3, errors: 1, sources: { a: [2, 1], b: [1, 0] } },
    { requests: 1, errors: 1, sources: {} },
    { requests: 1, errors: 0, sources: { b: [1, 0] } },
  ])
})

it('Blocks do not grow in number, and lose nothing, however long it takes', () => {
  const blocks = new Blocks<string>()
  for (let second = 0; second < 10_000; second++) {
    const isError = second % 4 === 0
    blocks.add(second * 1000, second % 2 ? 'a' : 'b', isError, 1)
    if (!isError) blocks.addLatency(second * 1000, second % 2 ? 'a' : 'b', 2 ** (second % 40), 1)
  }
  const all = [...blocks]
  expect(all.length).toBeLessThanOrEqual(64)
  expect(all.length).toBeGreaterThan(32)
  const sum = (of: (block: (typeof all)[number]) => number) => all.reduce((total, block) => total + of(block), 0)
  expect([sum(({ requests }) => requests), sum(({ errors }) => errors)]).toEqual([10_000, 2500])
  expect(sum(({ sources }) => sources.get('b')?.errors ?? 0)).toBe(2500)
  expect(sum(({ sources }) => sources.get('a')?.latency.reduce((a, b) => a + b, 0) ?? 0)).toBe(5000)
  blocks.add(1e12, 'a', false, 1)
  expect([...blocks]).toHaveLength(2)
})
