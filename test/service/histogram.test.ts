import { expect, it } from 'vitest'
import { Histogram } from '../../src/service/histogram.ts'

it('exposes each series with cumulative buckets, its sum and its count', () => {
  const histogram = new Histogram('seconds', 'How long.')
  const series = histogram.series({ status: '200' })
  for (const seconds of [0.0004, 0.001, 0.3, 20]) series.observe(seconds)
  expect(histogram.expose({ version: 'v1 "a\\b"' })).toBe(
    [
      '# HELP seconds How long.',
      '# TYPE seconds histogram',
      ...[
        ['0.001', 2],
        ['0.0025', 2],
        ['0.005', 2],
        ['0.01', 2],
        ['0.025', 2],
        ['0.05', 2],
        ['0.1', 2],
        ['0.25', 2],
        ['0.5', 3],
        ['1', 3],
        ['2.5', 3],
        ['5', 3],
        ['10', 3],
        ['+Inf', 4],
      ].map(([le, count]) => `seconds_bucket{le="${le}",status="200",version="v1 \\"a\\\\b\\""} ${count}`),
      'seconds_sum{status="200",version="v1 \\"a\\\\b\\""} 20.3014',
      'seconds_count{status="200",version="v1 \\"a\\\\b\\""} 4',
      '',
    ].join('\n'),
  )
})
