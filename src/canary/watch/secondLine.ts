import { count, list, milliseconds, percent } from '../format.ts'
import { quantileMs, type Sample } from '../sampling/sample.ts'
import { nameOf } from '../verdict/expectation.ts'

/** What a second brought, in one line. */
export function secondLine({ requests, sources, failures }: Sample, at: Date): string {
  const parts = sources.map((source) => {
    const { replies, errors, latency } = source
    const p95 = quantileMs(latency, 0.95)
    const details = [percent(replies / requests), list(errors), p95 === undefined ? '' : `p95 ${milliseconds(p95)}`]
    return `${nameOf(source)} ${replies} (${details.filter(Boolean).join(', ')})`
  })
  if (failures.size > 0) parts.push(`no version ${failures.total} (${list(failures)})`)
  return [`${at.toISOString().slice(11, 19)}Z`, count(requests, 'request'), ...parts].join('  ')
}
