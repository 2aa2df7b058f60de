import type { Outcome, Sample } from './sample.ts'
import { type Pace, sendRequests } from './sendRequests.ts'
import type { VersionClient } from './versionClient.ts'

/**
 * Adds to a sample what becomes of each request, until all have ended, the sample tells enough, or the signal aborts.
 * @param isEnough asked after each request
 */
export async function takeSample(
  client: VersionClient,
  pace: Omit<Pace, 'onUnsent'>,
  sample: Sample,
  isEnough: (sample: Sample) => boolean,
  signal: AbortSignal,
  onOutcome?: (outcome: Outcome) => void,
): Promise<void> {
  const enough = new AbortController()
  await sendRequests(
    client,
    { ...pace, onUnsent: () => sample.unsent++ },
    (outcome) => {
      sample.add(outcome)
      onOutcome?.(outcome)
      if (isEnough(sample)) enough.abort()
    },
    AbortSignal.any([signal, enough.signal]),
  )
}
