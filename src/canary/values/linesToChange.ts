import { isDeepStrictEqual } from 'node:util'
import { isMap, isScalar, LineCounter, type Node, parseAllDocuments } from 'yaml'
import { isMapping, type Mapping } from './editText.ts'

/**
 * What somebody has to do to a text by hand, such as "set traffic.stable to 75 (line 3)", in the order of the lines.
 * @param before what it says
 * @param wanted what it is to say
 */
export function linesToChange(text: string, before: Mapping, wanted: Mapping): string[] {
  const lineCounter = new LineCounter()
  const documents = parseAllDocuments(text, { schema: 'failsafe', uniqueKeys: false, logLevel: 'silent', lineCounter })
  const line = (keys: readonly string[]) => {
    const starts = documents.map(({ contents }) => startOf(contents as Node | null, keys) ?? 0)
    return lineCounter.linePos(Math.max(0, ...starts)).line || 1
  }
  const describe = (before: Mapping, wanted: Mapping, parents: readonly string[]): { line: number; what: string }[] =>
    [...new Set([...Object.keys(before), ...Object.keys(wanted)])].flatMap((key) => {
      const [old, value, keys] = [before[key], wanted[key], [...parents, key]]
      if (isDeepStrictEqual(old, value)) return []
      if (isMapping(old) && isMapping(value)) return describe(old, value, keys)
      const where = `${keys.join('.')}${value === undefined ? '' : ` to ${JSON.stringify(value)}`} (line ${line(keys)})`
      return [{ line: line(keys), what: `${value === undefined ? 'remove' : 'set'} ${where}` }]
    })
  return describe(before, wanted, [])
    .toSorted((a, b) => a.line - b.line)
    .map(({ what }) => what)
}

/** Where the key stands, or the nearest there is of those it belongs to. */
function startOf(node: Node | null, [key, ...rest]: readonly string[]): number | undefined {
  if (key === undefined || !isMap(node)) return undefined
  const pair = node.items.findLast((item) => isScalar(item.key) && item.key.value === key)
  if (!pair) return undefined
  return startOf(pair.value as Node | null, rest) ?? (pair.key as Node).range?.[0]
}
