import type { Sample } from '../sampling/sample.ts'
import { type Expectation, nameOf } from './expectation.ts'

/**
 * Keeps from the statistics what is no number, of which they would make a verdict all the same.
 * @throws {TypeError} naming the first, and its value
 */
function requireNumbers(
  numbers: readonly (readonly [name: string, number: unknown])[],
  isRight: (n: number) => boolean,
  right: string,
) {
  const wrong = numbers.find(([, number]) => typeof number !== 'number' || !isRight(number))
  if (!wrong) return
  const [name, value] = wrong
  throw new TypeError(`${name} is ${typeof value === 'number' ? value : JSON.stringify(value)}: it must be ${right}`)
}

/** @throws {TypeError} where a share or a limit is no finite number */
export function requirePlannable(expectation: Expectation, { strict: _, ...limits }: { readonly strict: boolean }): void {
  const shares = expectation.map((entry) => [`the share of ${nameOf(entry)}`, entry.share] as const)
  requireNumbers(shares, (share) => share >= 0 && share <= 1, 'a number from 0 to 1')
  requireNumbers(Object.entries(limits), (limit) => Number.isFinite(limit) && limit >= 0, 'a finite number, 0 or more')
}

/** @throws {TypeError} where a count is no whole number */
export function requireCounts(counts: Readonly<Record<string, unknown>>): void {
  requireNumbers(Object.entries(counts), (count) => Number.isSafeInteger(count) && count >= 0, 'a whole number, 0 or more')
}

/** @throws {TypeError} where a sample has counted what is no whole number */
export function requireJudgeable({ requests, sources, failures }: Sample): void {
  requireCounts({ 'the number of requests': requests, ...named(failures) })
  for (const source of sources)
    requireCounts({ [`the number of replies from ${nameOf(source)}`]: source.replies, ...named(source.errors) })
}

const named = (counts: ReadonlyMap<string, number>) =>
  Object.fromEntries([...counts].map(([kind, number]) => [`the number of "${kind}"`, number]))
