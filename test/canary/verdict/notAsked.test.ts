import { describe, expect, it } from 'vitest'
import { type Outcome, Sample } from '../../../src/canary/sampling/sample.ts'
import { parseExpectation } from '../../../src/canary/verdict/expectation.ts'
import { judge } from '../../../src/canary/verdict/judge.ts'
import { plan } from '../../../src/canary/verdict/plan.ts'
import { limits } from './samples.ts'

const planned = plan(parseExpectation('stable=50,canary=50'), limits)
const requests = planned.usual

function judged(...outcomes: Outcome[]) {
  const sample = new Sample()
  for (let n = 0; n < requests; n++) sample.add(outcomes[n % outcomes.length] as Outcome, n)
  return judge(sample, planned)
}

describe('a sample that never reached the service', () => {
  it.each([
    ['404 without a version', ' (no route takes this host name and path there)'],
    ['301 to https://x/', ' (it only redirects to HTTPS)'],
    ['302 to http://x/', ''],
    ['connection refused', ''],
    ['timeout', ''],
    ['certificate refused (DEPTH_ZERO_SELF_SIGNED_CERT)', ' (NODE_EXTRA_CA_CERTS names a file of authorities to trust besides)'],
    ['429 without a version', ' (too many requests for a rate limit: lower --rate)'],
    ['200 without a version', ' (it says it elsewhere: see --path and --version-from)'],
  ])('is no verdict on it: %s', (error, meaning) => {
    const { verdict, gates } = judged({ error })
    expect(verdict).toBe('INCONCLUSIVE')
    const reason = `nobody answered with a version, but ${requests.toLocaleString('en')} × ${error}${meaning}: is this the right address, host name and path?`
    expect(gates.map((gate) => [gate.verdict, gate.reason])).toEqual(Array(3).fill(['INCONCLUSIVE', reason]))
  })

  it('is no verdict on it, where the route says the role in whatever comes', () => {
    expect(judged({ error: '404 without a version', role: 'canary' }, { error: '404', role: 'stable' }).verdict).toBe(
      'INCONCLUSIVE',
    )
    expect(judged({ error: '503 without a version', role: 'canary' }, { role: 'stable' }).verdict).toBe('FAIL')
  })

  it.each(['500', '502', '503', '504'])('is one on the gateway, which answers %s for a Service', (status) => {
    expect(judged({ error: `${status} without a version` }).verdict).toBe('FAIL')
  })

  it('is one where a single reply was from the service', () => {
    expect(judged({ error: '404 without a version' }, { version: 'v1', role: 'stable' }).verdict).toBe('FAIL')
  })
})
