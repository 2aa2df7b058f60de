import { isDeepStrictEqual } from 'node:util'
import type { Values } from './values.ts'

/** What is tested in canary, and then given to stable. */
export type PodValues = Pick<Values, 'image' | 'env'>

const podValueKeys = ['image', 'env'] as const

/** Where nothing is as good as empty. */
const filled = ({ image = {}, env = {} }: PodValues): Required<PodValues> => ({ image, env })

/** Whether two releases run the same image in the same environment. */
export const samePodValues = (a: PodValues, b: PodValues): boolean => isDeepStrictEqual(filled(a), filled(b))

/** The same values with another release's image and environment. */
export const withPodValues = (values: Values, podValues: PodValues): Values => withKeysOf(values, podValues, podValueKeys)

/** The same values but for some keys, which are as in others, and left out where those have none. */
export function withKeysOf(values: Values, others: Values, keys: readonly string[]): Values {
  const kept = Object.entries(values).filter(([key]) => !keys.includes(key) || key in others)
  const given = Object.entries(others).filter(([key]) => keys.includes(key))
  return Object.fromEntries([...kept, ...given])
}
