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

/** What weights say, by role alone. */
export const byRole = (weights: Readonly<Record<Role, number>>): Expectation =>
  shares(roles.map((role) => ({ role, weight: weights[role] })))

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

/** All replies, whoever they are from: where nothing tells. */
export const ANYBODY: Expectation = [{ share: 1 }]

type Identity = Pick<Source, 'version' | 'role'>

/** What is expected of a source, if anything; where both run one version, which alone is known, of the one who gets requests. */
export function findExpected(expectation: Expectation, source: Identity): Expected | undefined {
  const matching = expectation.filter((entry) => isMeant(entry, source))
  return matching.find(({ share }) => share > 0) ?? matching[0]
}

/** By what both say; what one of them does not say is no difference where the other agrees. */
function isMeant({ version, role }: Expected, source: Identity): boolean {
  const isVersion = version !== undefined && source.version !== undefined ? isSameVersion(version, source.version) : undefined
  const isRole = role !== undefined && source.role !== undefined ? role === source.role : undefined
  if (isVersion === false || isRole === false) return false
  return isVersion === true || isRole === true || (version === undefined && role === undefined)
}

/** Tags are written with and without a v. */
const isSameVersion = (a: string, b: string) => a.replace(/^v(?=\d)/, '') === b.replace(/^v(?=\d)/, '')

/** Why replies cannot be told apart by what is expected, whoever sent them; undefined where they can. */
export function whyUntold(expectation: Expectation, sources: readonly Identity[]): string | undefined {
  const isTold = ({ version, role }: Identity) => {
    const ofVersion =
      version === undefined ? [] : expectation.filter((entry) => entry.share > 0 && isMeant(entry, { version, role: undefined }))
    const hasVersions = version !== undefined && expectation.some((entry) => entry.version !== undefined)
    return (hasVersions && ofVersion.length < 2) || (role !== undefined && expectation.some((entry) => entry.role !== undefined))
  }
  if (sources.length === 0 || isAnybody(expectation) || sources.some(isTold)) return undefined
  const said = [...new Set(sources.flatMap(({ version, role }) => version ?? role ?? []))].toSorted()
  const names = expectation.map(nameOf).join(' and ')
  const what = said.length === 0 ? 'neither version nor role' : `only ${said.join(' and ')}`
  const byVersion = said.length > 1 ? `--expect may name what they say, such as ${said.map((it) => `${it}=50`).join()}; or ` : ''
  return `replies say ${what}, which does not tell ${names} apart: ${byVersion}${WHERE_TOLD}`
}

export const WHERE_TOLD =
  '--version-from and --role-from say where replies tell, or the route says the role, as "canary init" has it'

export const isAnybody = (expectation: Expectation): boolean => expectation === ANYBODY

/** A version and its role for people, such as "v1.1.1 stable", or one where it says it all, such as "v1.1.1-canary". */
export function nameOf({ version, role }: { version?: string | undefined; role?: string | undefined }): string {
  if (version === undefined || role === undefined) return version ?? role ?? 'anybody'
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
