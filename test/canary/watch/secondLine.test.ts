import { expect, it } from 'vitest'
import { Sample } from '../../../src/canary/sampling/sample.ts'
import { secondLine } from '../../../src/canary/watch/secondLine.ts'
import { sampleOf } from '../output/samples.ts'

const at = new Date('2027-01-02T03:04:05.678Z')

it('has a line for each second', () => {
  const sample = sampleOf(17, 1, 1)
  sample.add({ error: 'timeout' })
  expect(secondLine(sample, at)).toBe(
    '03:04:05Z  20 requests  v1.1.1-canary 2 (10 %, 1 × 500, p95 1.0 ms)  v1.1.1 stable 17 (85 %, p95 1.1 ms)  no version 1 (1 × timeout)',
  )
  expect(secondLine(new Sample(), at)).toBe('03:04:05Z  0 requests')
})
