import type { Values } from './values.ts'

/** Values by their whole names, such as "gateway.className"; a list is one value. */
function leaves(values: Values, prefix = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) continue
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      for (const leaf of leaves(value as Values, `${prefix}${key}.`)) found.set(...leaf)
    } else found.set(prefix + key, JSON.stringify(value))
  }
  return found
}

/** What values files say that an installed release does not, and the other way round. */
export function differences(files: readonly Values[], installed: Values): { edited: string[]; lacking: string[] } {
  const declared = new Map(files.flatMap((values) => [...leaves(values)]))
  const there = leaves(installed)
  return {
    edited: [...declared].filter(([name, value]) => there.get(name) !== value).map(([name]) => name),
    lacking: [...there.keys()].filter((name) => !declared.has(name)),
  }
}
