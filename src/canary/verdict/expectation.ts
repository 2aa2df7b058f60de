import { percent } from '../format.ts'
import { isRole, type Role, roles } from '../roles.ts'
import type { Sample, Source } from '../sampling/sample.ts'

/** Whose replies are meant, by version, role or both, and the share of all requests that they should have, 0 to 1. */
export interface Expected {
  readonly version?: string
  readonly role?: Role
  readonly share: number
}

/** The shares add up to 1. */
export type Expectation = readonly Expected[]

/** Weights as shares, of which only the ratio counts, as in an HTTPRoute. */
export function shares<T extends { weight: number }>(entries: T[]): (Omit<T, 'weight'> & { share: number })[] {
  const sum = entries.reduce((total, { weight }) => total + weight, 0)
  return entries.map(({ weight, ...rest }) => ({ ...rest, share: weight / sum }))
}

/**
 * What `90/10`, `stable=90, canary=10` or `v1.1.1=90,v1.1.1-canary=10` says.
 * @throws {Error} whose message says what is allowed
 */
export function parseExpectation(text: string): Expectation {
  const named = text.replace(/^\s*(\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?)\s*$/, 'stable=$1,canary=$2')
  const entries = named.split(',').map((entry) => {
    const [, name, weight] = /^\s*(\S(?:.*\S)?)\s*=\s*(\d+(?:\.\d+)?)\s*$/.exec(entry) ?? []
    if (name === undefined)
      throw new Error('It must be versions or roles with their weights, such as 90/10, stable=90,canary=10 or v1=90,v2=10.')
    return { name, weight: Number(weight) }
  })
  const names = entries.map(({ name }) => name)
  if (new Set(names).size < names.length) throw new Error('It must name each version or role once.')
  if (names.some(isRole) && !names.every(isRole))
    throw new Error('It must name either versions or the roles stable and canary, not both.')
  if (entries.every(({ weight }) => weight === 0)) throw new Error('It must have a weight above 0.')
  return shares(entries.map(({ name, weight }) => ({ ...(isRole(name) ? { role: name } : { version: name }), weight })))
}

/** What is expected of a source, if anything. */
export const findExpected = (expectation: Expectation, source: Pick<Source, 'version' | 'role'>): Expected | undefined =>
  expectation.find(
    ({ version, role }) => (version === undefined || version === source.version) && (role === undefined || role === source.role),
  )

/** A version and its role for people, such as "v1.1.1 stable", or one where it says it all, such as "v1.1.1-canary". */
export function nameOf({ version, role }: { version?: string | undefined; role?: string | undefined }): string {
  if (version === undefined || role === undefined) return version ?? role ?? ''
  return version.includes(role) ? version : `${version} ${role}`
}

/**
 * The role of each entry: the one it has, the one its replies say, or else the one that is left over, stable first.
 */
export function rolesOf(expectation: Expectation, sample: Sample): (Role | undefined)[] {
  const known = expectation.map((entry) => {
    const role = entry.role ?? sample.sources.find((source) => source.role && findExpected(expectation, source) === entry)?.role
    return role !== undefined && isRole(role) ? role : undefined
  })
  const left = roles.filter((role) => !known.includes(role))
  return known.map((role) => role ?? left.shift())
}

/** For people, such as "stable 90 %, canary 10 %". */
export const describeExpectation = (expectation: Expectation): string =>
  expectation.map((entry) => `${nameOf(entry)} ${percent(entry.share)}`).join(', ')
