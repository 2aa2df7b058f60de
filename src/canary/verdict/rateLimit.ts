import { whole } from '../format.ts'
import { Counts, REFUSED, Sample } from '../sampling/sample.ts'

/** A sample without what a rate limit has refused. */
export function withoutRefused(sample: Sample): Sample {
  const failures = new Counts([...sample.failures].filter(([kind]) => kind !== REFUSED))
  return Object.assign(new Sample(), sample, { requests: sample.requests - refusedIn(sample), failures })
}

/** Why a sample does not tell how available the service is; undefined where a rate limit has refused no more than may fail. */
export function whyRefused(sample: Sample, maxErrorRate: number): string | undefined {
  const refused = refusedIn(sample)
  if (refused <= maxErrorRate * sample.requests) return undefined
  return `${whole(refused)} of ${whole(sample.requests)} requests were too many for a rate limit in front of the service (${REFUSED}): lower --rate`
}

const refusedIn = ({ failures }: Sample) => failures.get(REFUSED) ?? 0
