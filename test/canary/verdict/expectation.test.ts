import { describe, expect, it } from 'vitest'
import { Sample } from '../../../src/canary/sampling/sample.ts'
import {
  ANYBODY,
  describeExpectation,
  findExpected,
  nameOf,
  parseExpectation,
  rolesOf,
  whyUntold,
} from '../../../src/canary/verdict/expectation.ts'

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
      ' 99.5/0.5 ',
      [
        { role: 'stable', share: 0.995 },
        { role: 'canary', share: 0.005 },
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
    ['', 'such as 90/10, stable=90,canary=10 or v1=90,v2=10'],
    ['v1', 'such as 90/10'],
    ['v1=', 'such as 90/10'],
    ['=1', 'such as 90/10'],
    ['v1=-1', 'such as 90/10'],
    ['v1=90,', 'such as 90/10'],
    ['v1=1e3', 'such as 90/10'],
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

  it('goes by what is known, where the other is not', () => {
    const both = [
      { version: 'v1', role: 'stable', share: 0.5 },
      { version: '2', role: 'canary', share: 0.5 },
    ] as const
    expect(findExpected(both, { version: undefined, role: 'canary' })).toBe(both[1])
    expect(findExpected(both, { version: 'v2', role: undefined })).toBe(both[1])
    expect(findExpected(both, { version: 'v3', role: undefined })).toBeUndefined()
    expect(findExpected(both, { version: undefined, role: undefined })).toBeUndefined()
    const same = both.map((entry, share) => ({ ...entry, version: 'v2', share }))
    expect(findExpected(same, { version: 'v2', role: undefined })).toBe(same[1])
    expect(findExpected(ANYBODY, { version: undefined, role: undefined })).toBe(ANYBODY[0])
  })

  it.each([
    [
      'stable=1,canary=1',
      { version: 'v1', role: undefined },
      /^replies say only v1, which does not tell stable and canary apart/,
    ],
    ['v1=1,v2=1', { version: undefined, role: 'stable' }, /^replies say only stable, which does not tell v1 and v2 apart/],
    ['v1=1,v2=1', { version: undefined, role: undefined }, /^replies say neither version nor role/],
    ['v1=1,1=1', { version: 'v1', role: undefined }, /^replies say only v1, which does not tell v1 and 1 apart/],
    ['v1=0,1=1', { version: 'v1', role: undefined }, undefined],
    ['stable=1,canary=1', { version: 'v1', role: 'primary' }, undefined],
    ['v1=1,v2=1', { version: 'v3', role: undefined }, undefined],
  ])('cannot be told by replies: %s by %o', (text, source, why) => {
    const told = whyUntold(parseExpectation(text), [source])
    if (why) expect(told).toMatch(why)
    else expect(told).toBeUndefined()
    expect(whyUntold(ANYBODY, [source])).toBeUndefined()
    expect(whyUntold(parseExpectation(text), [])).toBeUndefined()
  })

  it('cannot be told by replies of two versions, where roles are expected, which are named then', () => {
    const sources = ['v1', 'v2', 'v1'].map((version) => ({ version, role: undefined }))
    expect(whyUntold(parseExpectation('stable=9,canary=1'), sources)).toMatch(
      /^replies say only v1 and v2, which does not tell stable and canary apart: --expect may name what they say, such as v1=50,v2=50; or --version-from/,
    )
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
