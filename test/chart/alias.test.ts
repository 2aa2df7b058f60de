import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse, parseAllDocuments, stringify } from 'yaml'
import type { Manifest } from '../../src/demo/render.ts'
import { chart, helm } from './render.ts'

let parent: string
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'parent-'))
  await cp(chart, join(parent, 'charts/devops-api'), { recursive: true })
})
afterAll(() => rm(parent, { recursive: true }))

/** What a chart renders that has this one as a dependency under each of these names. */
async function renderAs(...[stable, canary]: [stable: string, canary?: string]) {
  const version = parse(await readFile(join(chart, 'Chart.yaml'), 'utf8')).version
  const names = [stable, ...(canary === undefined ? [] : [canary])]
  const dependencies = names.map((alias) => ({ name: 'devops-api', version, ...(alias !== 'devops-api' && { alias }) }))
  await writeFile(join(parent, 'Chart.yaml'), stringify({ apiVersion: 'v2', name: 'parent', version: '1.0.0', dependencies }))
  const values = {
    [stable]: { role: 'stable', traffic: { stable: 90, canary: 10, preview: true }, gateway: { enabled: true } },
    ...(canary !== undefined && { [canary]: { role: 'canary' } }),
  }
  const { stdout, stderr } = await helm(['template', 'x', parent, '--values', '-'], { input: stringify(values) })
  const objects = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest & { spec: unknown })
  const named = (sought: string) => objects.filter(({ kind }) => kind === sought).map(({ metadata }) => metadata.name)
  const backends = [
    ...new Set([...JSON.stringify(objects).matchAll(/"kind":"Service","name":"([^"]+)"/g)].map(([, name]) => name)),
  ]
  return { stderr, named, backends }
}

it.each([
  ['shop-stable', 'shop-canary', 'shop'],
  ['devops-api', 'devops-api-canary', 'devops-api'],
])('a parent chart has both as %s and %s, and the route finds both Services', async (stable, canary, name) => {
  const { named, backends } = await renderAs(stable, canary)
  const pair = [`${name}-stable`, `${name}-canary`]
  expect(named('Service').toSorted()).toEqual(pair.toSorted())
  expect(backends).toEqual(pair)
  expect(named('HTTPRoute')).toEqual([`${name}-stable`])
})

it.each([
  ['stable', 'canary', 'NAME-stable'],
  ['shop-stable', 'b', 'NAME-canary'],
])(
  'the aliases %s and %s are refused with what to write, as the route would not find canary',
  async (stable, canary, written) => {
    const { stderr } = await renderAs(stable, canary)
    expect(stderr).toContain(`Write alias: ${written} here, with the same NAME in the other's.`)
  },
)

it('one without an alias is called as ever', async () => {
  const { named, backends } = await renderAs('devops-api')
  expect(named('Service')).toEqual(['devops-api-stable'])
  expect(backends).toEqual(['devops-api-stable', 'devops-api-canary'])
})

it('the name that an alias hides is that of Chart.yaml', async () => {
  const helpers = await readFile(join(chart, 'templates/_helpers.tpl'), 'utf8')
  const [, name] = /define "devops-api.nameWithoutAlias" -}}\n(.+)\n/.exec(helpers) ?? []
  expect(name).toBe(parse(await readFile(join(chart, 'Chart.yaml'), 'utf8')).name)
})
