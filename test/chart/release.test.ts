import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { otherVersions, packageChart } from '../../release.ts'
import { podTemplates, render } from './render.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chart-'))
})
afterAll(() => rm(folder, { recursive: true }))

it('the released chart points at the released image, in every pod, and differs in nothing else', async () => {
  const released = await packageChart('ghcr.io/a/devops-api', folder)
  for (const role of ['stable', 'canary'] as const) {
    const pods = JSON.stringify(podTemplates(await render(role)))
    expect(podTemplates(await render(role, { chart: released }))).toEqual(
      JSON.parse(pods.replaceAll(`"devops-api:${manifest.version}"`, `"ghcr.io/a/devops-api:${manifest.version}"`)),
    )
    expect(pods).toContain(`"devops-api:${manifest.version}"`)
  }
})

it('a tag is released only where everything carries its version', () => {
  expect(otherVersions(`v${manifest.version}`)).toEqual([])
  expect(otherVersions('v9.9.9')).toEqual([
    `package.json, version is ${manifest.version}, and the tag is v9.9.9`,
    `chart/Chart.yaml, version is ${manifest.version}, and the tag is v9.9.9`,
    `chart/Chart.yaml, appVersion is ${manifest.version}, and the tag is v9.9.9`,
    `chart/values-stable.yaml, image.tag is ${manifest.version}, and the tag is v9.9.9`,
    `chart/values-canary.yaml, image.tag is ${manifest.version}, and the tag is v9.9.9`,
  ])
})
