import { list } from '../format.ts'
import type { Outcome, Sample } from '../sampling/sample.ts'

/** What a gateway answers itself for a Service of the route: it is missing, cannot be reached, has no ready pod, or is too slow. */
const GATEWAYS_OWN = /^(500|502|503|504) without a version$/

/** Whether a reply shows that the place is right: by a version, or because a gateway answers so for a Service of the route. */
export const isFromTheRoute = ({ version, error }: Pick<Outcome, 'version' | 'error'>): boolean =>
  version !== undefined || GATEWAYS_OWN.test(error ?? '')

/**
 * Why a sample says nothing about the service, because it never reached it: a wrong address, a host name that the route does not take, a
 * redirect, or a gateway that is not there. Undefined where it did.
 */
export function whyNotAsked({ requests, sources, failures }: Sample): string | undefined {
  if (requests === 0) return 'no request was made'
  if (sources.length > 0 || [...failures.keys()].some((error) => isFromTheRoute({ error }))) return undefined
  return `nobody answered as devops-api (${list(failures)}): is this the right address, host name and path?`
}
