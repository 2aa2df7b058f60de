import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const src = join(import.meta.dirname, '../src')

/** From the bottom up; places on one line do not know each other. */
const layers = [
  ['service'],
  ['canary/errors.ts', 'canary/roles.ts', 'canary/format.ts'],
  ['canary/sampling'],
  ['canary/verdict'],
  ['canary/values'],
  ['canary/cluster'],
  ['canary/output'],
  ['canary/promotion', 'canary/status', 'canary/watch', 'canary/init'],
  ['canary/options.ts'],
  ['canary/commands'],
  ['canary/cli.ts'],
  ['canary/main.ts'],
  ['canary/action.ts'],
  ['demo'],
  ['tour'],
]
const places = layers.flat()
const placeOf = (file: string) => places.find((place) => file === place || file.startsWith(`${place}/`))
const layerOf = (place: string | undefined) => layers.findIndex((layer) => layer.includes(place ?? ''))

const files = globSync('**/*.ts', { cwd: src }).filter((file) => !file.endsWith('.d.ts'))
const imports = new Map(
  files.map((file) => {
    const text = readFileSync(join(src, file), 'utf8')
    const specifiers = text.matchAll(/(?:from|import\(|^import) ?'(\.[^']+\.ts)'/gm)
    return [file, [...specifiers].map(([, specifier = '']) => join(dirname(file), specifier))]
  }),
)

describe('imports', () => {
  it('are found', () => {
    expect(files.length).toBeGreaterThan(80)
    expect([...imports.values()].flat().length).toBeGreaterThan(200)
    expect(files.filter((file) => placeOf(file) === undefined)).toEqual([])
  })

  it('lead downward only', () => {
    const upward = [...imports].flatMap(([from, targets]) =>
      targets
        .filter((to) => {
          const [a, b] = [placeOf(from), placeOf(to)]
          return a !== b && layerOf(b) >= layerOf(a)
        })
        .map((to) => `${from} → ${to}`),
    )
    expect(upward).toEqual([])
  })

  it('make no circle', () => {
    const done = new Set<string>()
    const circles: string[] = []
    const visit = (file: string, path: string[]) => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      else if (!done.has(file)) for (const next of imports.get(file) ?? []) visit(next, [...path, file])
      done.add(file)
    }
    for (const file of files) visit(file, [])
    expect(circles).toEqual([])
  })

  it('of the demo reach into the CLI for what both need, and no further', () => {
    const targets = [...imports].flatMap(([from, to]) =>
      from.startsWith('demo/') ? to.filter((path) => path.startsWith('canary/')) : [],
    )
    expect([...new Set(targets)].toSorted()).toEqual([
      'canary/cluster/findProgram.ts',
      'canary/errors.ts',
      'canary/roles.ts',
      'canary/sampling/devopsApi.ts',
      'canary/sampling/roleFrom.ts',
      'canary/sampling/versionClient.ts',
      'canary/sampling/versionFrom.ts',
      'canary/sampling/withPath.ts',
      'canary/values/chartAnnotations.ts',
      'canary/values/chartName.ts',
    ])
  })
})
