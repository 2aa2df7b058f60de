import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readOverlays } from '../../../src/canary/values/readOverlays.ts'
import { temporary } from '../commandLine.ts'
import { helmReader } from './helmReader.ts'

it('Files laid over others must not hide what is edited', async () => {
  const path = join(temporary(), 'overlay.yaml')
  writeFileSync(path, 'gateway:\n  create: no\n')
  expect(await readOverlays(helmReader(), [path])).toEqual([{ gateway: { create: false } }])
  writeFileSync(path, 'image: {tag: "1"}\nenv: {}\ntraffic: {canary: 1}\n')
  await expect(readOverlays(helmReader(), [path])).rejects.toThrow(
    `--values ${path} sets traffic.canary: that must stand in values-stable.yaml`,
  )
  writeFileSync(path, 'weights: &w {canary: 1}\ntraffic:\n  <<: *w\n')
  await expect(readOverlays(helmReader(), [path])).rejects.toThrow(`--values ${path} sets traffic.canary: `)
})
