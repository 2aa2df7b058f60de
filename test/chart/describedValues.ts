import { parse } from 'yaml'
import { markdownTable, pageAt } from '../markdown.ts'

interface DescribedValue {
  /** Such as ['traffic', 'stable']. */
  readonly path: readonly string[]
  readonly description: string
}

/** Every value that has a comment in values.yaml, in its order. That comment is the source of all other descriptions. */
function describedValues(): DescribedValue[] {
  const lines = pageAt('chart/values.yaml').split('\n')
  const path: string[] = []
  return lines.flatMap((line, index) => {
    const [, indent, key] = /^( *)(\w+):/.exec(line) ?? []
    if (indent === undefined || key === undefined) return []
    path.splice(indent.length / 2, path.length, key)
    const [, description] = /^ *# (.*)/.exec(lines[index - 1] ?? '') ?? []
    return description === undefined ? [] : [{ path: [...path], description }]
  })
}

/** The table of values in chart/README.md. A value that holds others with descriptions has no default of its own. */
export function valuesTable(): string {
  const values = describedValues()
  const defaults = parse(pageAt('chart/values.yaml'))
  const rows = values.map(({ path, description }) => {
    const name = path.join('.')
    const isParent = values.some((other) => other.path.join('.').startsWith(`${name}.`))
    const value = path.reduce((node, key) => node[key], defaults)
    return [`\`${name}\``, isParent ? '' : `\`${JSON.stringify(value)}\``, description]
  })
  return markdownTable(['value', 'default', 'meaning'], rows)
}

interface Schema {
  description?: string
  properties?: Record<string, Schema>
}

/** values.schema.json, with the descriptions that editors show. */
export function describedSchema(): Schema {
  const schema: Schema = JSON.parse(pageAt('chart/values.schema.json'))
  for (const { path, description } of describedValues()) {
    const parent = path.slice(0, -1).reduce<Schema | undefined>((node, key) => node?.properties?.[key], schema)
    const key = path.at(-1) ?? ''
    const value = parent?.properties?.[key]
    if (!parent?.properties || !value) throw new Error(`values.schema.json lacks ${path.join('.')}`)
    const { description: _, ...rest } = value
    parent.properties[key] = { description, ...rest }
  }
  return schema
}
