import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { weights } from '../../src/demo/changes.ts'
import { render } from '../../src/demo/render.ts'
import { copyChartAs } from '../canary/commandLine.ts'

const cwd = mkdtempSync(join(tmpdir(), 'devops-api-render-'))
afterAll(() => rmSync(cwd, { recursive: true }))

/** Renders the chart, with some of its files changed, and a file laid over the values of each release. */
function rendered({ template, stable = '', canary = '' }: { template?: string; stable?: string; canary?: string }) {
  cpSync('chart', join(cwd, 'chart'), { recursive: true })
  if (template !== undefined) writeFileSync(join(cwd, 'chart/templates/service.yaml'), template)
  writeFileSync(join(cwd, 'stable.yaml'), stable)
  writeFileSync(join(cwd, 'canary.yaml'), canary)
  return render({ cwd, chart: 'chart', overlays: { stable: ['stable.yaml'], canary: ['canary.yaml'] } })
}

it('renders both releases, each with what is laid over it', async () => {
  const { stable, canary } = await rendered({ stable: 'replicas: 3\n', canary: 'replicas: 4\n' })
  expect([stable.Deployment.spec?.replicas, canary?.Deployment.spec?.replicas]).toEqual([3, 4])
})

it('renders a chart of another name, whose Services have names of their own', async () => {
  const releases = await render({ cwd, chart: copyChartAs('shop'), overlays: { stable: [], canary: [] } })
  expect(releases.canary?.Deployment.metadata.labels).toMatchObject({ 'app.kubernetes.io/instance': 'shop-canary' })
  expect(releases.stable.Service.metadata.name).toBe('http-shop-stable')
  expect(weights(releases)).toBe('90/10')
})

it('refuses a chart without a name', async () => {
  await rendered({})
  writeFileSync(join(cwd, 'chart/Chart.yaml'), 'version: 1.0.0\n')
  const inputs = { cwd, chart: 'chart', overlays: { stable: [], canary: [] } }
  await expect(render(inputs)).rejects.toThrow('Chart.yaml says no name: it must have one, such as "name: shop"')
})

it.each([
  [{ canary: 'role: stable\nreplicas: many\n' }, "Helm refuses canary:\n- at '/replicas': got string, want integer"],
  [
    { stable: 'a: [' },
    /^Helm refuses stable:\nfailed to parse stable\.yaml: .*yaml: line 1: did not find expected node content$/,
  ],
  [{ template: '{{ if }}' }, 'Helm refuses stable:\nparse error at (devops-api/templates/service.yaml:1): missing value for if'],
  [{ template: '' }, 'The chart makes no Service for stable.'],
])('refuses %j', async (changes, message) => {
  await expect(rendered(changes)).rejects.toThrow(message)
})
