import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Sample } from '../../../src/canary/sampling/sample.ts'
import { declaredSplit } from '../../../src/canary/values/declaredSplit.ts'
import { describeExpectation, findExpected, nameOf, parseExpectation, rolesOf } from '../../../src/canary/verdict/expectation.ts'

describe('an expectation', () => {
  it.each([
    [
      'v1.1.1=90,v1.1.1-canary=10',
      [
        { version: 'v1.1.1', share: 0.9 },
        { version: 'v1.1.1-canary', share: 0.1 },
      ],
    ],
    [
      'stable=90, canary=10',
      [
        { role: 'stable', share: 0.9 },
        { role: 'canary', share: 0.1 },
      ],
    ],
    [
      'canary=1,stable=3',
      [
        { role: 'canary', share: 0.25 },
        { role: 'stable', share: 0.75 },
      ],
    ],
    [
      'v1=100,v2=0',
      [
        { version: 'v1', share: 1 },
        { version: 'v2', share: 0 },
      ],
    ],
    [
      'v1=99.5,v2=0.5',
      [
        { version: 'v1', share: 0.995 },
        { version: 'v2', share: 0.005 },
      ],
    ],
    ['a=b=1', [{ version: 'a=b', share: 1 }]],
    ['v 1 = 1', [{ version: 'v 1', share: 1 }]],
  ])('is what %s says', (text, expected) => {
    expect(parseExpectation(text)).toEqual(expected)
  })

  it.each([
    ['', 'such as v1=90,v2=10 or stable=90,canary=10'],
    ['v1', 'such as v1=90'],
    ['v1=', 'such as v1=90'],
    ['=1', 'such as v1=90'],
    ['v1=-1', 'such as v1=90'],
    ['v1=90,', 'such as v1=90'],
    ['v1=1e3', 'such as v1=90'],
    ['v1=1,v1=2', 'each version or role once'],
    ['v1=1,canary=2', 'either versions or the roles stable and canary, not both'],
    ['v1=0,v2=0', 'a weight above 0'],
  ])('is not "%s"', (text, complaint) => {
    expect(() => parseExpectation(text)).toThrow(complaint)
  })

  it('is met by version, by role, or by both', () => {
    const both = [{ version: 'v1', role: 'stable', share: 1 }] as const
    expect(findExpected(both, { version: 'v1', role: 'stable' })).toBe(both[0])
    expect(findExpected(both, { version: 'v1', role: 'canary' })).toBeUndefined()
    expect(findExpected(both, { version: 'v2', role: 'stable' })).toBeUndefined()
    expect(findExpected(parseExpectation('v1=1'), { version: 'v1', role: 'canary' })).toBeDefined()
    expect(findExpected(parseExpectation('stable=1'), { version: 'v9', role: 'stable' })).toBeDefined()
    expect(findExpected(parseExpectation('stable=1'), { version: 'stable', role: undefined })).toBeUndefined()
  })

  it('reads well', () => {
    expect(describeExpectation(parseExpectation('v1=2,v2=1'))).toBe('v1 66.7 %, v2 33.3 %')
    expect(nameOf({ version: 'v1.1.1', role: 'stable' })).toBe('v1.1.1 stable')
    expect(nameOf({ version: 'v1.1.1-canary', role: 'canary' })).toBe('v1.1.1-canary')
    expect(nameOf({ version: 'v1.1.1-canary', role: 'stable' })).toBe('v1.1.1-canary stable')
  })

  it('leaves a third without a role', () => {
    expect(rolesOf(parseExpectation('v1=1,v2=1,v3=1'), new Sample())).toEqual(['stable', 'canary', undefined])
    const sample = new Sample()
    sample.add({ version: 'v1', role: 'blue' })
    sample.add({ version: 'v3', role: 'stable' })
    expect(rolesOf(parseExpectation('v1=1,v2=1,v3=1'), sample)).toEqual(['canary', undefined, 'stable'])
  })
})

describe('the declared split', () => {
  function chart(files: Record<string, string> = {}) {
    const folder = mkdtempSync(join(tmpdir(), 'canary-chart-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    for (const name of ['Chart.yaml', 'values.yaml', 'values-stable.yaml', 'values-canary.yaml']) {
      cpSync(join(import.meta.dirname, '../../../chart', name), join(folder, name))
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    return folder
  }
  const told = (folder: string) => declaredSplit(folder).map(({ version, role, share }) => `${role} ${version} ${share}`)

  it("is that of the chart's own values files", () => {
    expect(told(chart())).toEqual(['stable v1.1.1 0.9', 'canary v1.1.1-canary 0.1'])
  })

  it.each([
    ['"2.0.0"', 'v2.0.0'],
    ['v2.0.0', 'v2.0.0'],
    ['vv2', 'vv2'],
    ['""', 'v1.1.1'],
  ])('has the version of the tag %s, with one leading v: %s', (tag, version) => {
    const values = `traffic: {stable: 1, canary: 1}\nimage: {tag: ${tag}}\n`
    expect(told(chart({ 'values-stable.yaml': values }))[0]).toBe(`stable ${version} 0.5`)
  })

  it('falls back to what the chart has by default', () => {
    expect(told(chart({ 'values-stable.yaml': 'role: stable\n', 'values-canary.yaml': '' }))).toEqual([
      'stable v1.1.1 1',
      'canary v1.1.1 0',
    ])
    expect(told(chart({ 'values-stable.yaml': 'traffic: {canary: 100}\n' }))).toEqual([
      'stable v1.1.1 0.5',
      'canary v1.1.1-canary 0.5',
    ])
  })

  it('is refused where a file says nothing', () => {
    const folder = chart({ 'values-canary.yaml': 'role: [\n' })
    expect(() => declaredSplit(folder)).toThrow(`cannot read ${folder}/values-canary.yaml: `)
    expect(() => declaredSplit(join(folder, 'x'))).toThrow(`cannot read ${folder}/x/values-stable.yaml: there is no such file`)
    expect(() => declaredSplit(chart({ 'values-stable.yaml': 'traffic: {stable: 0}\n' }))).toThrow(
      'values-stable.yaml has no weight above 0',
    )
  })
})
