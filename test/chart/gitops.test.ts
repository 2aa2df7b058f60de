import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { blocks, readmeOf } from '../markdown.ts'
import { assertValid } from './api.ts'

const root = join(import.meta.dirname, '../..')
const read = (file: string) => parse(readFileSync(join(root, 'integrations', file), 'utf8'))

const files = ['argo-cd', 'flux'].flatMap((folder) =>
  readdirSync(join(root, 'integrations', folder))
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => `${folder}/${file}`),
)

it.each(files)('The API server would accept %s', (file) => assertValid(read(file)))

describe.each(['stable', 'canary'])('%s', (role) => {
  it('is found by Argo CD in this repository', () => {
    const { source } = read(`argo-cd/${role}.yaml`).spec
    expect(source.helm).toMatchObject({ releaseName: `devops-api-${role}`, valueFiles: [`values-${role}.yaml`] })
    for (const file of ['Chart.yaml', ...source.helm.valueFiles])
      expect(existsSync(join(root, source.path, file)), file).toBe(true)
  })

  it('is found by Flux in this repository, and followed commit by commit', () => {
    const { metadata, spec } = read(`flux/${role}.yaml`)
    expect(metadata.name).toBe(`devops-api-${role}`)
    const { chart, valuesFiles, sourceRef, reconcileStrategy } = spec.chart.spec
    expect(valuesFiles).toEqual(['chart/values.yaml', `chart/values-${role}.yaml`])
    for (const file of [join(chart, 'Chart.yaml'), ...valuesFiles]) expect(existsSync(join(root, file)), file).toBe(true)
    const source = read('flux/source.yaml')
    expect(sourceRef).toEqual({ kind: source.kind, name: source.metadata.name })
    expect(reconcileStrategy).toBe('Revision')
  })
})

it.each(['argo-cd', 'flux'])('With the rules of its README, the API server would accept %s/stable.yaml', (folder) => {
  const rules = blocks('What Git should not decide', readmeOf(`integrations/${folder}`)).filter(
    ({ language }) => language === 'yaml',
  )
  expect(rules).toHaveLength(1)
  const manifest = read(`${folder}/stable.yaml`)
  Object.assign(manifest.spec, parse(rules[0]?.text ?? '').spec)
  assertValid(manifest)
})
