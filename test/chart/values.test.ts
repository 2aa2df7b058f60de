import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { chart, helm, type Role, valuesArguments } from './render.ts'

interface Schema {
  $ref?: string
  additionalProperties?: unknown
  definitions?: Record<string, Schema>
  properties?: Record<string, Schema>
  propertyNames?: { enum: string[] }
  required?: string[]
}

const file = (name: string) => readFile(join(chart, name), 'utf8')
const schema: Schema = JSON.parse(await file('values.schema.json'))
const values = await file('values.yaml')
const examples = (await readdir(join(chart, 'examples'))).filter((name) => name !== 'check-job.yaml')

/** The objects that have fixed keys, by their paths. */
function fixedObjects(node: Schema, path = ''): [path: string, node: Required<Schema>][] {
  const target = node.$ref ? (schema.definitions?.[node.$ref.replace('#/definitions/', '')] ?? {}) : node
  if (!target.properties) return []
  const children = Object.entries(target.properties).flatMap(([key, child]) => fixedObjects(child, `${path}/${key}`))
  return [[path, target as Required<Schema>], ...children]
}

describe('values.yaml', () => {
  it('has every key of the schema, and no other', () => {
    for (const [path, { properties }] of fixedObjects(schema)) {
      const value = path.split('/').reduce((parent, key) => (key === '' ? parent : parent[key]), parse(values))
      expect([path, Object.keys(value)]).toEqual([path, Object.keys(properties).filter((key) => key !== 'global')])
    }
  })

  it('says what every key means, in one line above it', () => {
    // What stands below these is named and explained by Kubernetes.
    const foreign = ['/resources', '/probes/readiness', '/probes/liveness']
    const lines = values.split('\n')
    const path: string[] = []
    const silent: string[] = []
    for (const [index, line] of lines.entries()) {
      const [, indent, key] = /^( *)(\w+):/.exec(line) ?? []
      if (indent === undefined || key === undefined) continue
      const parent = `/${path.slice(0, indent.length / 2).join('/')}`
      path.splice(indent.length / 2, path.length, key)
      if (foreign.some((known) => parent.startsWith(known))) continue
      const [above, further] = [lines[index - 1], lines[index - 2]].map((other) => other?.startsWith(`${indent}# `))
      if (!above || further) silent.push(path.join('.'))
    }
    expect(silent).toEqual([])
  })

  it('has the defaults that are documented', () => {
    expect(parse(values)).toMatchObject({
      role: '',
      traffic: { stable: 100, canary: 0, preview: false, previewHeader: { name: 'x-canary', value: 'always' }, announce: false },
      image: { repository: 'devops-api', tag: '', digest: '', pullPolicy: 'IfNotPresent' },
      env: {},
      gateway: {
        enabled: false,
        create: true,
        className: 'traefik',
        listener: { port: 8000 },
        hostnames: ['devops-api.devops-db.internal'],
      },
    })
  })
})

describe('values.schema.json', () => {
  it('refuses other keys by naming those that exist, and null where the chart needs a value', () => {
    const optional = ['global', 'replicas', 'runAsUser']
    for (const [path, { additionalProperties, properties, propertyNames, required }] of fixedObjects(schema)) {
      const keys = Object.keys(properties)
      expect([path, additionalProperties]).toEqual([path, false])
      expect([path, propertyNames.enum]).toEqual([path, keys])
      expect([path, required]).toEqual([path, keys.filter((key) => !optional.includes(key))])
    }
  })

  it('lets the chart be part of another, from which it gets global values', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'chart-'))
    try {
      await writeFile(join(parent, 'Chart.yaml'), 'apiVersion: v2\nname: parent\nversion: 1.0.0\n')
      await cp(chart, join(parent, 'charts/devops-api'), { recursive: true })
      const { stdout } = await helm(['template', 'parent', parent, '--set', 'devops-api.role=stable,global.team=web'])
      expect(stdout).toContain('name: devops-api-stable')
    } finally {
      await rm(parent, { recursive: true })
    }
  })
})

describe('the values of', () => {
  it('stable are what is shown everywhere', async () => {
    expect(await file('values-stable.yaml')).toBe(
      'role: stable\ntraffic:\n  stable: 90\n  canary: 10\nimage:\n  tag: "1.1.1"\ngateway:\n  enabled: true\n',
    )
  })

  it('canary are what is shown everywhere', async () => {
    expect(await file('values-canary.yaml')).toBe(
      'role: canary\nimage:\n  tag: "1.1.1"\nenv:\n  DEVOPSAPI_VERSION: v1.1.1-canary\ngateway:\n  enabled: false\n',
    )
  })
})

describe('helm lint finds nothing in', () => {
  const overlays = examples.map((name) => `examples/${name}`)

  it.each([
    ['stable'],
    ['canary'],
    ...overlays.flatMap((name) => [
      ['stable', name],
      ['canary', name],
    ]),
  ])('%s %s', async (role, name) => {
    const { stdout, failed } = await helm([
      'lint',
      '--strict',
      '.',
      ...valuesArguments(role as Role, { overlays: name ? [name] : [] }),
    ])
    expect(stdout).not.toMatch(/WARNING|ERROR/)
    expect(failed).toBe(false)
  })
})
