import type { HTTPRoute, Manifest } from './render.ts'

type Rule = HTTPRoute['spec']['rules'][number]

const HEADER = 'traffic-split'

/** Whether every reply of the route says how it is split, as `traffic.announce` has it do. */
export const announces = ({ spec }: HTTPRoute): boolean => spec.rules.every(says)

const says = (rule: Rule) => headersSet(rule).includes(HEADER)

/** The names of the headers that a rule sets in each reply. */
export const headersSet = ({ filters = [] }: Rule): string[] =>
  filters.flatMap(({ responseHeaderModifier }) => responseHeaderModifier?.set?.map(({ name }) => name) ?? [])

/**
 * The route as `traffic.announce` would have it, so that the first thing people see has "configured" beside "observed".
 * @param weights of stable and canary
 */
export function announced<R extends Manifest & HTTPRoute>(route: R, [stable = 0, canary = 0]: readonly number[]): R {
  if (!stable && !canary) return route
  const set = [{ name: HEADER, value: `stable=${stable}, canary=${canary}` }]
  const filter = { type: 'ResponseHeaderModifier' as const, responseHeaderModifier: { set } }
  const rules = route.spec.rules.map((rule) => (says(rule) ? rule : { ...rule, filters: [...(rule.filters ?? []), filter] }))
  return { ...route, spec: { ...route.spec, rules } }
}
