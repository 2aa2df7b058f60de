import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { declaredSplit } from '../../../src/canary/values/declaredSplit.ts'
import { root, temporary } from '../commandLine.ts'
import { helmReader } from './helmReader.ts'

function chart(files: Record<string, string> = {}): string {
  const folder = join(temporary(), 'chart')
  cpSync(join(root, 'chart'), folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const told = async (folder: string, overlays?: string[]) =>
  (await declaredSplit(helmReader(), folder, overlays)).map(({ version, role, share }) => `${role} ${version} ${share}`)

describe('declaredSplit', () => {
  it("is that of the chart's own values files", async () => {
    expect(await told(chart())).toEqual(['stable v1.1.1 0.9', 'canary v1.1.1-canary 0.1'])
  })

  it.each([
    ['"2.0.0"', 'v2.0.0'],
    ['v2.0.0', 'v2.0.0'],
    ['vv2', 'vv2'],
    ['""', 'v1.1.1'],
    ['"010"', 'v010'],
  ])('has the version of the tag %s, with one leading v: %s', async (tag, version) => {
    const values = `role: stable\ntraffic: {stable: 1, canary: 1}\nimage: {tag: ${tag}}\n`
    expect((await told(chart({ 'values-stable.yaml': values })))[0]).toBe(`stable ${version} 0.5`)
  })

  it('falls back to what the chart has by default', async () => {
    const bare = { 'values-stable.yaml': 'role: stable\n', 'values-canary.yaml': 'role: canary\n' }
    expect(await told(chart(bare))).toEqual(['stable v1.1.1 1', 'canary v1.1.1 0'])
    const half = { 'values-stable.yaml': 'role: stable\ntraffic: {canary: 100}\n' }
    expect(await told(chart(half))).toEqual(['stable v1.1.1 0.5', 'canary v1.1.1-canary 0.5'])
    const other = { 'values.yaml': 'traffic: {stable: 3, canary: 1}\nimage: {tag: 2.0.0}\n', 'values.schema.json': '{}' }
    expect(await told(chart({ ...bare, ...other }))).toEqual(['stable v2.0.0 0.75', 'canary v2.0.0 0.25'])
  })

  it('merges as Helm does, and reads numbers as Helm does', async () => {
    const merged = 'role: stable\ntraffic:\n  stable: 1\n  <<: {stable: 30, canary: 010}\n'
    expect(await told(chart({ 'values-stable.yaml': merged }))).toEqual([
      `stable v1.1.1 ${30 / 38}`,
      `canary v1.1.1-canary ${8 / 38}`,
    ])
  })

  it('takes what is laid over stable', async () => {
    const folder = chart({ 'over.yaml': 'traffic: {stable: 10}\nenv: {DEVOPSAPI_VERSION: v9}\n' })
    expect(await told(folder, [join(folder, 'over.yaml')])).toEqual(['stable v9 0.5', 'canary v1.1.1-canary 0.5'])
  })

  it('needs no cluster that suits the chart, and takes the chart with its dependencies', async () => {
    const files = {
      'Chart.yaml':
        'apiVersion: v2\nname: devops-api\nversion: 1.0.0\nappVersion: 7.0.0\nkubeVersion: ">=9"\ndependencies: [{name: lib, version: 1.0.0}]\n',
      'values-stable.yaml': 'role: stable\n',
      'values-canary.yaml': 'role: canary\n',
    }
    const folder = chart(files)
    await expect(told(folder)).rejects.toThrow('missing in charts/ directory: lib')
    cpSync(join(root, 'chart'), join(folder, 'charts/lib'), { recursive: true })
    writeFileSync(join(folder, 'charts/lib/Chart.yaml'), 'apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n')
    writeFileSync(join(folder, 'charts/lib/values.schema.json'), '{}')
    writeFileSync(join(folder, 'values.schema.json'), '{}')
    expect(await told(folder)).toEqual(['stable v7.0.0 1', 'canary v7.0.0 0'])
  })

  it.each([
    ['is no YAML', 'role: [\n', 'Helm cannot read FOLDER/values-stable.yaml: line '],
    ['has no weight above 0', 'role: stable\ntraffic: {stable: 0}\n', 'FOLDER/values-stable.yaml has no weight above 0'],
    [
      'has words for weights',
      'role: stable\ntraffic: {stable: ninety}\n',
      'traffic.stable in FOLDER/values-stable.yaml is "ninety": ',
    ],
    ['has quoted weights', 'role: stable\ntraffic: {stable: "90"}\n', 'traffic.stable in FOLDER/values-stable.yaml is "90": '],
    ['has one for both', 'role: stable\ntraffic: 5\n', 'traffic in FOLDER/values-stable.yaml is 5: '],
    ['is one word', 'hello\n', 'FOLDER/values-stable.yaml holds hello: it must hold values by their names'],
    [
      'says what the chart does not know',
      'role: stable\nimage: {tag: 1.10}\n',
      "Helm refuses FOLDER/values-stable.yaml: devops-api: - at '/image/tag': value must be 'an image tag in quotes, such as \"1.10\"; a digest is for image.digest'",
    ],
  ])('is refused where a file %s', async (_, text, message) => {
    const folder = chart({ 'values-stable.yaml': text })
    await expect(told(folder)).rejects.toThrow(message.replace('FOLDER', folder))
  })

  it('is refused where a default is wrong, or no chart is there', async () => {
    const folder = chart({
      'values-stable.yaml': 'role: stable\n',
      'values.yaml': 'traffic: {stable: ninety}\n',
      'values.schema.json': '{}',
    })
    await expect(told(folder)).rejects.toThrow(`traffic.stable in ${folder}/values.yaml is "ninety": `)
    await expect(told(join(folder, 'x'))).rejects.toThrow(`cannot read ${folder}/x/values-stable.yaml (there is no such file)`)
  })
})
