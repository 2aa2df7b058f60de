import { isDeepStrictEqual } from 'node:util'
import { isMapping, type Mapping } from './editText.ts'
import type { Values } from './values.ts'

/** What a release keeps for itself; all else shapes its pods, is tested in canary, and then given to stable. */
const OWN = new Set([
  ...['role', 'traffic', 'gateway', 'service', 'replicas', 'autoscaling', 'podDisruptionBudget'],
  ...['networkPolicy', 'podMonitor', 'serviceAccount', 'test'],
  // As `helm create` calls them.
  ...['replicaCount', 'ingress', 'httpRoute', 'nameOverride', 'fullnameOverride'],
])

/** The values that shape a release's pods. */
export const podValuesOf = (values: Values): Values =>
  Object.fromEntries(Object.entries(values).filter(([key, value]) => !OWN.has(key) && value !== undefined))

/** What a promotion gives. */
export interface Given {
  /** Those that canary was installed with. */
  readonly values: Values
  /** The same, over those of its chart. */
  readonly computed: Values
}

/**
 * A values file of stable that gives its pods what canary's have: values change where they must, and what stands there already, in the
 * file or in one that is laid over it, is left as it is.
 * @param overlays laid over the file, the last of which counts most
 */
export function withPodValues(file: Values, { values, computed }: Given, overlays: readonly Values[] = []): Values {
  const own = Object.fromEntries(Object.entries(file).filter(([key]) => OWN.has(key)))
  const laid = overlays.map(podValuesOf)
  const given = merged(podValuesOf(file), podValuesOf(values), podValuesOf(computed), laid)
  // The order of the file stays.
  const keys = [...new Set([...Object.keys(file), ...Object.keys(given)])]
  const all = { ...own, ...given }
  return Object.fromEntries(keys.flatMap((key) => (key in all ? [[key, all[key]]] : [])))
}

function merged(file: Mapping, wanted: Mapping, computed: Mapping, overlays: readonly Mapping[]): Mapping {
  const result: Record<string, unknown> = {}
  for (const key of new Set([...Object.keys(file), ...Object.keys(wanted)])) {
    const [old, next] = [file[key], wanted[key]]
    const laid = overlays.filter((overlay) => key in overlay).map((overlay) => overlay[key])
    if (isMapping(old) || isMapping(next)) {
      if ((old === undefined || isMapping(old)) && (next === undefined || isMapping(next))) {
        const value = merged(old ?? {}, next ?? {}, mappingOf(computed[key]), laid.map(mappingOf))
        if (Object.keys(value).length > 0 || (isMapping(next) && old !== undefined)) result[key] = value
        continue
      }
    }
    if (key in wanted) {
      const isLaid = !(key in file) && laid.length > 0 && isDeepStrictEqual(laid.at(-1), next)
      if (!isLaid) result[key] = next
    } else if (isDeepStrictEqual(old, computed[key])) result[key] = old
  }
  return result
}

const mappingOf = (value: unknown): Mapping => (isMapping(value) ? value : {})
