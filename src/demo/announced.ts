import type { HTTPRoute, Manifest } from './render.ts'

type Rule = HTTPRoute['spec']['rules'][number]

const HEADER = 'traffic-split'

/** Whether every reply of the route says how it is split, as `traffic.announce` has it do. */
export const announces = ({ spec }: HTTPRoute): boolean => spec.rules.every(says)

const says = ({ filters = [] }: Rule) =>
  filters.some(({ responseHeaderModifier }) => responseHeaderModifier?.set?.some(({ name }) => name === HEADER))

/**
 * The route as `traffic.announce` would have it, so that the first thing people see has "configured" beside "observed".
 * @param weights as in `90/10`
 */
export function announced<R extends Manifest & HTTPRoute>(route: R, weights: string): R {
  const [stable, canary] = weights.split('/').map(Number)
  if (!stable && !canary) return route
  const set = [{ name: HEADER, value: `stable=${stable}, canary=${canary}` }]
  const filter = { type: 'ResponseHeaderModifier' as const, responseHeaderModifier: { set } }
  const rules = route.spec.rules.map((rule) => (says(rule) ? rule : { ...rule, filters: [...(rule.filters ?? []), filter] }))
  return { ...route, spec: { ...route.spec, rules } }
}
