import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import manifest from '../../package.json' with { type: 'json' }
import { chart, helm, podTemplates, render } from './render.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chart-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('the chart, the service and the package have one version', async () => {
  const { version, appVersion } = parse(await readFile(join(chart, 'Chart.yaml'), 'utf8'))
  expect([version, appVersion]).toEqual([manifest.version, manifest.version])
})

test('a packaged chart renders the same pods, whatever its version', async () => {
  const { failed } = await helm(['package', '.', '--version', '9.9.9', '--destination', folder])
  expect(failed).toBe(false)
  const packaged = await render('stable', { chart: join(folder, 'devops-api-9.9.9.tgz') })
  expect(packaged.Deployment.metadata.labels['helm.sh/chart']).toBe('devops-api-9.9.9')
  expect(podTemplates(packaged)).toEqual(podTemplates(await render('stable')))
})

test('a cluster that has no preStop sleep is refused', async () => {
  const [old, current] = await Promise.all(
    ['1.29.14', '1.30.0-gke.1'].map((version) => helm(['template', 'x', '.', '--set', 'role=stable', '--kube-version', version])),
  )
  expect(old?.stderr).toContain('chart requires kubeVersion: >=1.30.0-0')
  expect(current?.failed).toBe(false)
})
