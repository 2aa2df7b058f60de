import { list } from '../format.ts'
import type { Sample } from '../sampling/sample.ts'

/** What a gateway answers itself for a Service of the route: it is missing, cannot be reached, has no ready pod, or is too slow. */
const GATEWAYS_OWN = /^(500|502|503|504)( without a version)?$/

/** What else comes where the service is not, and why. */
const meanings: [RegExp, string][] = [
  [/^404 /, 'no route takes this host name and path there'],
  [/^2\d\d without/, 'it says it elsewhere: see --path and --version-from'],
  [/^30\d to https:/, 'it only redirects to HTTPS'],
  [/^429 /, 'too many requests for a rate limit: lower --rate'],
  [/^certificate refused/, 'NODE_EXTRA_CA_CERTS names a file of authorities to trust besides'],
]

/** What came instead of a reply by the service, with what that means as a rule. */
export function explained(failure: string): string {
  const [, meaning] = meanings.find(([pattern]) => pattern.test(failure)) ?? []
  return meaning ? `${failure} (${meaning})` : failure
}

/** Whether a sample tells nothing of the split it was taken for, so that another is worth it. */
export const isVoid = (sample: Sample): boolean => whyNotAsked(sample) !== undefined || sample.announced.size > 1

/**
 * Why a sample says nothing about the service, because it never reached it: a wrong address, a host name that the route does not take, a
 * redirect, or a gateway that is not there. Undefined where it did.
 */
export function whyNotAsked(sample: Sample): string | undefined {
  if (sample.requests === 0) return 'there was no request'
  const failures = sample.errors
  if (isAnswered(sample) || [...failures.keys()].some((failure) => GATEWAYS_OWN.test(failure))) return undefined
  const instead = list(new Map([...failures].map(([failure, number]) => [explained(failure), number])))
  return `nobody answered with a version, but ${instead}: is this the right address, host name and path?`
}

/** Whether anybody said which version it is, or answered well. */
export const isAnswered = ({ sources }: Sample): boolean =>
  sources.some(({ version, errors, replies }) => version !== undefined || errors.total < replies)

/** So many requests without any answer tell that nobody is there; to wait for the rest would only take time. */
const SILENCE = 20

/** Whether nobody has said anything, good or bad. */
export const isSilent = ({ requests, failures }: Sample): boolean => requests >= SILENCE && failures.get('timeout') === requests
