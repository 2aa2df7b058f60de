import { WrongUse } from '../errors.ts'
import { type Role, roles } from '../roles.ts'
import type { Values } from './values.ts'

export type Weights = Readonly<Record<Role, number>>

/** What the chart gives where nothing else does. */
export const ALL_STABLE: Weights = { stable: 100, canary: 0 }

const MOST = 1_000_000

/** Such as "90/10". */
export const showWeights = ({ stable, canary }: Weights): string => `${stable}/${canary}`

/** The same read back; undefined where it is other text. */
export function parseWeights(text: string): Weights | undefined {
  const [, stable, canary] = /^(\d{1,7})\/(\d{1,7})$/.exec(text) ?? []
  return canary === undefined ? undefined : { stable: Number(stable), canary: Number(canary) }
}

/**
 * The weights that values give; those of the chart where they give none.
 * @param path of the file that has them, for messages
 * @throws {WrongUse} with one line, when one is no whole number from 0 to 1000000
 */
export function weightsOf({ traffic }: Values, path?: string): Weights {
  const where = path === undefined ? '' : ` in ${path}`
  if (traffic === undefined) return ALL_STABLE
  if (traffic === null || typeof traffic !== 'object' || Array.isArray(traffic))
    throw new WrongUse(
      `traffic${where} is ${JSON.stringify(traffic)}: it must be the two weights, such as {stable: 90, canary: 10}`,
    )
  const given: Partial<Record<Role, unknown>> = traffic
  for (const role of roles) {
    const weight = given[role]
    if (weight === undefined || (Number.isInteger(weight) && (weight as number) >= 0 && (weight as number) <= MOST)) continue
    throw new WrongUse(
      `traffic.${role}${where} is ${JSON.stringify(weight)}: it must be a whole number from 0 to ${MOST}, without quotes`,
    )
  }
  return { ...ALL_STABLE, ...pick(traffic) }
}

const pick = ({ stable, canary }: Partial<Weights>): Partial<Weights> => ({
  ...(stable !== undefined && { stable }),
  ...(canary !== undefined && { canary }),
})

/** Other numbers for the same split, or nearly so where they are huge. */
export function sameSplit({ stable, canary }: Weights): Weights {
  const by = Math.max(stable, canary) * 2 <= MOST ? 2 : 0.5
  return { stable: Math.ceil(stable * by), canary: Math.ceil(canary * by) }
}

/** The same values with other weights. */
export const withWeights = (values: Values, weights: Weights): Values => ({
  ...values,
  // First, where they are new.
  traffic: { ...weights, ...values.traffic, ...weights },
})
