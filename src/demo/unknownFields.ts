/** What may stand in an object: any value (`true`), one value, or fields and what may stand in them; a list may have many of it. */
export type Known = true | string | { readonly [field: string]: Known }

/** Everything in `value` that is not known, once each, as in `spec.rules.timeouts` or `spec.rules.matches.path.type: PathPrefix`. */
export function unknownFields(value: unknown, known: Known, path = ''): string[] {
  if (known === true) return []
  if (Array.isArray(value)) return [...new Set(value.flatMap((item) => unknownFields(item, known, path)))]
  if (typeof known === 'string') return value === known ? [] : [`${path}: ${value}`]
  return Object.entries(value ?? {}).flatMap(([field, inner]) => {
    const innerPath = path ? `${path}.${field}` : field
    const innerKnown = Object.hasOwn(known, field) ? known[field] : undefined
    return innerKnown === undefined ? [innerPath] : unknownFields(inner, innerKnown, innerPath)
  })
}
