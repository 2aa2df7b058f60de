import { describe, expect, it } from 'vitest'
import { Sample } from '../../../src/canary/sampling/sample.ts'
import type { Gate } from '../../../src/canary/verdict/gate.ts'
import { canary, type Group, judged, type Options, sampleOf, stable } from './samples.ts'

const gate = (name: Gate['name'], sample: Sample, options?: Options) => {
  const { verdict, reason } = judged(sample, options).gates.find((gate) => gate.name === name) as Gate
  return `${verdict}: ${reason}`
}

it('A good sample passes', () => {
  const good = [
    { ...stable, ok: 1764 },
    { ...canary, ok: 196 },
  ]
  const { verdict, gates } = judged(sampleOf(good))
  expect(verdict).toBe('PASS')
  expect(gates).toEqual([
    { name: 'availability', verdict: 'PASS', reason: '0 of 1,960 requests failed, at most 1 % may' },
    { name: 'split', verdict: 'PASS', reason: 'canary answered 196 of 1,960 requests (10 %), expected 10 % ± 5 points' },
    {
      name: 'canary health',
      verdict: 'PASS',
      reason:
        "canary failed 0 of 196 (0 %), stable 0 of 1,764 (0 %), allowed: 1 point more; canary's p95 is 2.0 ms, stable's 2.0 ms, allowed: 20 ms more",
    },
  ])
})

it('A failure outweighs what is inconclusive, and that a pass', () => {
  const verdictOf = (ofStable: number, ofCanary: number) =>
    judged(
      sampleOf([
        { ...stable, ok: ofStable },
        { ...canary, ok: ofCanary },
      ]),
    ).verdict
  expect(verdictOf(450, 50)).toBe('INCONCLUSIVE')
  expect(verdictOf(10, 10)).toBe('FAIL')
})

it('Without a single request, nothing passes', () => {
  expect(judged(new Sample()).gates.map(({ verdict, reason }) => `${verdict}: ${reason}`)).toEqual([
    'INCONCLUSIVE: there was no request',
    'INCONCLUSIVE: there was no request',
    'INCONCLUSIVE: there was no request',
  ])
})

describe('availability', () => {
  const of = (outcomes: Group, options?: Options) =>
    gate(
      'availability',
      sampleOf([
        { ...stable, ...outcomes },
        { ...canary, ok: 49 },
      ]),
      options,
    )

  it.each([
    ['a rate within the limit', { ok: 437, 500: 4 }, 'PASS: 4 of 490 requests failed (0.8 %: 4 × 500), at most 1 % may'],
    [
      'a rate that may be what is allowed, or what must not pass',
      { ok: 427, 500: 14 },
      'INCONCLUSIVE: 14 of 490 requests failed (2.86 %: 14 × 500), at most 1 % may; too few requests to tell: as a rule, that takes 1,000',
    ],
    ['more than chance explains', { ok: 425, 500: 16 }, 'FAIL: 16 of 490 requests failed (3.27 %: 16 × 500), at most 1 % may'],
  ])('%s', (_, outcomes, expected) => {
    expect(of(outcomes, { enough: 1000 })).toBe(expected)
  })

  it('fails at the first number that is so rare at the highest rate allowed', () => {
    // At 1 % of 490, 15 errors or more come twice in 10,000 times, 16 less than once.
    expect(of({ ok: 426, 500: 15 })).toMatch(/^INCONCLUSIVE/)
    expect(of({ ok: 425, 500: 16 })).toMatch(/^FAIL/)
  })

  it('passes up to the last number that is so rare at the rate that must not pass', () => {
    // At 4 % of 490, 8 errors or fewer come 2 times in 1000, 9 come 5.4 times.
    expect(of({ ok: 433, 500: 8 })).toMatch(/^PASS/)
    expect(of({ ok: 432, 500: 9 })).toMatch(/^INCONCLUSIVE/)
    expect(of({ ok: 428, 500: 13 }, { limits: { detect: 0.1 } })).toMatch(/^PASS/)
  })

  it('passes nothing before the first look that may, nor between two looks', () => {
    expect(of({ ok: 441 }, { beta: 0 })).toBe(
      'INCONCLUSIVE: 0 of 490 requests failed, at most 1 % may; too few requests to tell: as a rule, that takes 1,000',
    )
    expect(of({ ok: 441 }, { requests: 491 })).toBe('INCONCLUSIVE: 0 of 490 requests failed, at most 1 % may; too early to tell')
  })

  it('decides once there are enough requests, and never sooner', () => {
    expect(of({ ok: 429, 500: 12 }, { enough: 491 })).toMatch(/^INCONCLUSIVE/)
    expect(of({ ok: 429, 500: 12 }, { enough: 490 })).toMatch(/^FAIL/)
    expect(of({ ok: 429, 500: 12 }, { enough: 490, requests: 500 })).toMatch(/^INCONCLUSIVE/)
  })

  it('allows all errors where it is told so', () => {
    expect(of({ ok: 241, 500: 200 }, { limits: { maxErrorRate: 1 } })).toMatch(/^PASS/)
  })

  it('names errors by kind, the most frequent first, whoever sent them', () => {
    const sample = sampleOf([{ ...stable, ok: 80, 500: 1 }, { ...canary, ok: 9, 500: 2, 503: 1 }, { timeout: 7 }])
    expect(gate('availability', sample)).toBe(
      'FAIL: 11 of 100 requests failed (11 %: 7 × timeout, 3 × 500, 1 × 503), at most 1 % may',
    )
  })

  it.each([
    ['500 without a version', 'the Service is missing (canary)'],
    ['503 without a version', 'no pod is ready (canary)'],
  ])('tells what is behind a share of "%s" like that of someone who never answers', (kind, meaning) => {
    expect(gate('availability', sampleOf([{ ...stable, ok: 446 }, { [kind]: 44 }]))).toBe(
      `FAIL: 44 of 490 requests failed (8.98 %: 44 × ${kind}), at most 1 % may; that is the share of canary, which never answered: ${meaning}`,
    )
  })

  it('tells it of versions too, and of all requests', () => {
    const some = sampleOf([{ version: 'v1', ok: 441 }, { '500 without a version': 49 }])
    expect(gate('availability', some, { expect: 'v1=90,v2=10' })).toContain(
      'share of v2, which never answered: the Service is missing (canary)',
    )
    const all = sampleOf([{ '503 without a version': 490 }])
    expect(gate('availability', all, { expect: 'stable=100,canary=0' })).toContain(
      'share of stable, which never answered: no pod is ready',
    )
  })

  it.each([
    ['is not like its share', [{ ...stable, ok: 390 }, { '500 without a version': 100 }]],
    ['is not all that came of it', [{ ...stable, ok: 440 }, { ...canary, ok: 1 }, { '500 without a version': 49 }]],
    ['is of another kind', [{ ...stable, ok: 441 }, { timeout: 49 }]],
  ])('does not guess where the share %s', (_, groups) => {
    expect(gate('availability', sampleOf(groups))).toMatch(/^FAIL: .* may$/)
  })
})

describe('the split', () => {
  const split = (forStable: number, forCanary: number, options?: Options) =>
    gate(
      'split',
      sampleOf([
        { ...stable, ok: forStable },
        { ...canary, ok: forCanary },
      ]),
      options,
    )

  it.each([
    ['surely not off by 5 points', 448, 52, 'PASS: canary answered 52 of 500 requests (10.4 %), expected 10 % ± 5 points'],
    [
      'perhaps off by 5 points',
      440,
      60,
      'INCONCLUSIVE: canary answered 60 of 500 requests (12 %), expected 10 % ± 5 points; too few requests to tell: as a rule, that takes 1,000',
    ],
    ['off', 421, 79, 'FAIL: canary answered 79 of 500 requests (15.8 %), expected 10 % ± 5 points'],
    [
      'perhaps off, downwards',
      463,
      37,
      'INCONCLUSIVE: canary answered 37 of 500 requests (7.4 %), expected 10 % ± 5 points; too few requests to tell: as a rule, that takes 1,000',
    ],
    ['off, downwards', 476, 24, 'FAIL: canary answered 24 of 500 requests (4.8 %), expected 10 % ± 5 points'],
    ['so far off that few are enough', 10, 10, 'FAIL: canary answered 10 of 20 requests (50 %), expected 10 % ± 5 points'],
  ])('%s', (_, forStable, forCanary, expected) => {
    expect(split(forStable, forCanary, { enough: 1000 })).toBe(expected)
  })

  it('takes another tolerance, but no more than half of the smallest share', () => {
    expect(split(3480, 520, { limits: { tolerance: 0.02 } })).toMatch(
      /^FAIL: canary answered 520 of 4,000 requests \(13 %\), expected 10 % ± 2 points/,
    )
    expect(split(9900, 100, { expect: 'stable=99,canary=1' })).toBe(
      'PASS: canary answered 100 of 10,000 requests (1 %), expected 1 % ± 0.5 points',
    )
    for (const number of [20, 400]) expect(split(10_000 - number, number, { expect: 'stable=99,canary=1' })).toMatch(/^FAIL/)
  })

  it('knows no excuse where it is strict, and judges nothing else of canary', () => {
    const strict = { expect: 'stable=50,canary=50', limits: { strict: true } }
    expect(split(280, 220, strict)).toMatch(/^FAIL/)
    expect(split(275, 225, strict)).toMatch(/^PASS/)
    expect(split(275, 225, { ...strict, requests: 501 })).toMatch(/^INCONCLUSIVE/)
    expect(split(280, 220, { expect: 'stable=50,canary=50' })).toMatch(/^INCONCLUSIVE/)
    expect(
      gate(
        'canary health',
        sampleOf([
          { ...stable, ok: 250 },
          { ...canary, 500: 250 },
        ]),
        strict,
      ),
    ).toBe('NOT APPLICABLE: the conformance test is about the split alone')
  })

  it.each(['stable=100,canary=0', 'stable=100', 'v1=100,v2=0', 'v1=100'])(
    'is exact for %s: a single reply fails it',
    (expectation) => {
      expect(split(499, 1, { expect: expectation })).toMatch(/^FAIL/)
      expect(split(500, 0, { expect: expectation })).toMatch(/^PASS/)
    },
  )

  it('says whose replies should not be', () => {
    expect(split(499, 1, { expect: 'stable=100,canary=0' })).toBe(
      'FAIL: canary answered 1 of 500 requests (0.2 %), expected none',
    )
    expect(split(499, 1, { expect: 'v1=100' })).toBe('FAIL: replies that nobody expected: 1 × v2 canary')
    expect(split(0, 500, { expect: 'stable=100,canary=0' })).toMatch(/^FAIL: canary answered 500 of 500/)
  })

  it('fails for a version that nobody expects, though the others are right', () => {
    const sample = sampleOf([
      { ...stable, ok: 4410 },
      { ...canary, ok: 489 },
      { version: 'v0', role: 'canary', ok: 1 },
    ])
    expect(gate('split', sample, { expect: 'v1=90,v2=10' })).toBe('FAIL: replies that nobody expected: 1 × v0 canary')
  })

  it('says what a role must be, where replies spell it otherwise', () => {
    const sample = sampleOf([
      { version: 'v1', role: 'Stable', ok: 90 },
      { version: 'v2', role: 'Canary', ok: 10 },
    ])
    expect(gate('split', sample)).toBe(
      'FAIL: replies that nobody expected: 90 × v1 Stable, 10 × v2 Canary; a role must be stable or canary, not Stable or Canary',
    )
  })

  it('goes by role where both say the same version', () => {
    const sample = sampleOf([
      { version: 'v1', role: 'stable', ok: 441 },
      { version: 'v1', role: 'canary', ok: 49 },
    ])
    expect(gate('split', sample)).toMatch(/^PASS: canary answered 49 of 490/)
    expect(gate('split', sample, { expect: 'stable=50,canary=50' })).toMatch(/^FAIL: canary answered 49 of 490/)
  })

  it('adds up the versions of a role', () => {
    const sample = sampleOf([
      { ...stable, ok: 441 },
      { ...canary, ok: 25 },
      { version: 'v3', role: 'canary', ok: 24 },
    ])
    expect(gate('split', sample)).toMatch(/^PASS: canary answered 49 of 490/)
  })

  it('is of the requests that somebody answered: the others are for availability to judge', () => {
    const sample = sampleOf([{ ...stable, ok: 400 }, { ...canary, ok: 50 }, { timeout: 50 }])
    expect(gate('split', sample)).toMatch(
      /^INCONCLUSIVE: canary answered 50 of 450 answered requests \(11.1 %\), expected 10 % ± 5 points/,
    )
    const none = sampleOf([{ '503 without a version': 490 }])
    expect(gate('split', none)).toBe('FAIL: canary answered 0 of 0 answered requests, expected 10 % ± 5 points')
  })

  it('counts an error for whoever sent it', () => {
    expect(
      gate(
        'split',
        sampleOf([
          { ...stable, ok: 441 },
          { ...canary, 500: 49 },
        ]),
      ),
    ).toMatch(/^PASS/)
  })

  it('fails for someone who never answers', () => {
    expect(split(1000, 0, { expect: 'stable=99,canary=1' })).toMatch(/^FAIL: canary answered 0 of 1,000 requests/)
    expect(split(600, 0, { expect: 'stable=99,canary=1' })).toMatch(/^INCONCLUSIVE/)
  })

  it('cannot tell where the announced split has changed meanwhile', () => {
    const sample = sampleOf([
      { ...stable, announced: 'stable=90, canary=10', ok: 400 },
      { ...canary, announced: 'stable=50, canary=50', ok: 200 },
    ])
    expect(gate('split', sample)).toBe(
      'INCONCLUSIVE: the announced split changed meanwhile: stable=90, canary=10, then stable=50, canary=50',
    )
  })

  it('asks more of each of three', () => {
    // 38 of 100 at 20 % come less often than once in 10,000 times: enough for one comparison of two, not for one of three.
    const three = sampleOf([
      { ...stable, ok: 48 },
      { ...canary, ok: 38 },
      { version: 'v3', ok: 14 },
    ])
    expect(gate('split', three, { expect: 'v1=60,v2=20,v3=20' })).toMatch(/^INCONCLUSIVE: v2/)
    expect(split(62, 38, { expect: 'stable=80,canary=20' })).toMatch(/^FAIL: canary/)
    const farther = sampleOf([
      { ...stable, ok: 46 },
      { ...canary, ok: 39 },
      { version: 'v3', ok: 15 },
    ])
    expect(gate('split', farther, { expect: 'v1=60,v2=20,v3=20' })).toMatch(/^FAIL: v2/)
  })
})

describe('canary health', () => {
  const health = (good: Group, bad: Group, options?: Options, ms?: (group: Group, index: number) => number) =>
    gate(
      'canary health',
      sampleOf(
        [
          { ...stable, ...good },
          { ...canary, ...bad },
        ],
        ms,
      ),
      options,
    )

  it.each([
    ['fails a fifth', { ok: 40, 500: 10 }, 'FAIL: canary failed 10 of 50 (20 %), stable 0 of 450 (0 %), allowed: 1 point more'],
    [
      'fails as little as proves it',
      { ok: 44, 500: 6 },
      'FAIL: canary failed 6 of 50 (12 %), stable 0 of 450 (0 %), allowed: 1 point more',
    ],
    [
      'fails what chance explains',
      { ok: 45, 500: 5 },
      'INCONCLUSIVE: canary failed 5 of 50 (10 %), stable 0 of 450 (0 %), allowed: 1 point more; too few requests to tell: as a rule, that takes 1,000',
    ],
  ])('%s', (_, bad, expected) => {
    expect(health({ ok: 450 }, bad, { enough: 1000, beta: 0.1 })).toBe(expected)
  })

  it('passes a canary that surely does not fail so much more as must not pass', () => {
    expect(health({ ok: 1800 }, { ok: 200 })).toMatch(/^PASS: canary failed 0 of 200/)
    expect(health({ ok: 1800 }, { ok: 160 })).toMatch(/^INCONCLUSIVE: canary failed 0 of 160/)
    expect(health({ ok: 1800 }, { ok: 160 }, { limits: { detect: 0.05 } })).toMatch(/^PASS/)
  })

  it('decides once there are enough requests', () => {
    expect(health({ ok: 1800 }, { ok: 160 }, { enough: 1960 })).toMatch(/^FAIL: canary failed 0 of 160/)
  })

  it('forgives what stable does as well', () => {
    const options = { limits: { detect: 0.1 } }
    expect(health({ ok: 3600, 500: 900 }, { ok: 400, 500: 100 }, options)).toMatch(
      /^PASS: canary failed 100 of 500 \(20 %\), stable 900 of 4,500 \(20 %\)/,
    )
  })

  it('allows as much more as it is told', () => {
    const options = { limits: { maxErrorIncrease: 0.3, detect: 0.5 } }
    expect(health({ ok: 450 }, { ok: 64, 500: 16 }, options)).toMatch(/^PASS: .* allowed: 30 points more/)
  })

  it.each([
    [40, 0],
    [0, 40],
  ])('needs replies of both: canary %i, stable %i', (ofCanary, ofStable) => {
    const reason = `canary sent ${ofCanary} and stable ${ofStable} replies; canary sent ${ofCanary} and stable ${ofStable} good replies`
    expect(health({ ok: ofStable }, { ok: ofCanary }, { requests: 100 })).toBe(
      `INCONCLUSIVE: ${reason}, which tells nothing of latency; too early to tell`,
    )
  })

  it('needs fewer to prove a failure', () => {
    expect(health({ ok: 450 }, { 500: 10 })).toMatch(/^FAIL: canary failed 10 of 10/)
  })

  const anyErrors = { limits: { maxErrorIncrease: 1, detect: 1.02 } }

  it('needs good replies to compare how long they take', () => {
    // Were a tenth of canary's slow, of 57 replies one would be but for 25 times in 10,000.
    expect(health({ ok: 450 }, { ok: 57, 500: 20 }, anyErrors)).toMatch(/^PASS/)
    expect(health({ ok: 450 }, { ok: 56, 500: 20 }, anyErrors)).toMatch(/^INCONCLUSIVE: canary's p95/)
    expect(health({ ok: 450 }, { 500: 40 }, anyErrors)).toMatch(/^INCONCLUSIVE: canary sent 0 and stable 450 good replies/)
  })

  it('does not let fast errors make up for slow replies', () => {
    const ms = (group: Group, index: number) => (group.role === 'canary' && index < 40 ? 100 : 1)
    expect(health({ ok: 450 }, { ok: 40, 500: 400 }, anyErrors, ms)).toMatch(/^FAIL: canary's p95 is 100 ms/)
  })

  // So many of canary's replies take 60 ms, evenly spread among them.
  const slow =
    (number: number, among = 50) =>
    (group: Group, index: number) =>
      group.role === 'canary' && Math.floor((index * number) / among) < Math.floor(((index + 1) * number) / among) ? 60 : 5

  it.each([
    ['as a whole', 50, "FAIL: canary's p95 is 60 ms, stable's 5.0 ms, allowed: 20 ms more"],
    ['as often as proves it', 12, "FAIL: canary's p95 is 60 ms"],
    [
      'as often as chance explains',
      11,
      "INCONCLUSIVE: canary's p95 is 60 ms, stable's 5.0 ms, allowed: 20 ms more; too few requests to tell: as a rule, that takes 1,000",
    ],
    ['less often than one in twenty, which may be one in seven', 2, "INCONCLUSIVE: canary's p95 is 5.0 ms"],
  ])('sees a canary that is slow %s', (_, number, expected) => {
    expect(health({ ok: 450 }, { ok: 50 }, anyErrors, slow(number))).toContain(expected)
  })

  it('passes a canary of which surely not a tenth more is slow', () => {
    expect(health({ ok: 1800 }, { ok: 200 }, anyErrors, slow(8, 200))).toMatch(/^PASS/)
    expect(health({ ok: 1800 }, { ok: 200 }, anyErrors, slow(9, 200))).toMatch(/^INCONCLUSIVE/)
  })

  it('compares with the p95 that stable may have at most', () => {
    // 5 % of stable's replies take 50 ms, so that its p95 may be 50 ms as well as 5.
    const ms = (group: Group, index: number) => (group.role === 'canary' ? 60 : index < 20 ? 50 : 5)
    expect(health({ ok: 450 }, { ok: 50 }, anyErrors, ms)).toMatch(/^INCONCLUSIVE: canary's p95 is 60 ms, stable's 5.0 ms/)
  })

  it('cannot prove anything of latency with few replies of stable', () => {
    // Of 207 replies, the slowest is above the p95 but for 2.5 times in 100,000.
    const options = { ...anyErrors, expect: 'stable=50,canary=50' }
    expect(health({ ok: 206 }, { ok: 206 }, options, slow(206, 206))).toMatch(/^INCONCLUSIVE/)
    expect(health({ ok: 207 }, { ok: 207 }, options, slow(207, 207))).toMatch(/^FAIL/)
  })

  it('allows as many milliseconds more as it is told', () => {
    expect(health({ ok: 450 }, { ok: 60 }, { limits: { ...anyErrors.limits, maxP95IncreaseMs: 56 } }, slow(60, 60))).toMatch(
      /^PASS/,
    )
    expect(health({ ok: 450 }, { ok: 50 }, { limits: { maxP95IncreaseMs: 54 } }, slow(50))).toMatch(/^FAIL/)
  })

  it('tells of both failures', () => {
    expect(health({ ok: 450 }, { ok: 100, 500: 20 }, {}, slow(100, 100))).toBe(
      "FAIL: canary failed 20 of 120 (16.7 %), stable 0 of 450 (0 %), allowed: 1 point more; canary's p95 is 60 ms, stable's 5.0 ms, allowed: 20 ms more",
    )
  })

  it('adds up what the versions of a role did', () => {
    const sample = sampleOf([
      { ...stable, ok: 450 },
      { ...canary, ok: 17, 500: 8 },
      { version: 'v3', role: 'canary', ok: 17, 500: 8 },
    ])
    expect(gate('canary health', sample)).toMatch(/^FAIL: canary failed 16 of 50/)
    const slowThird = sampleOf(
      [
        { ...stable, ok: 450 },
        { ...canary, ok: 20 },
        { version: 'v3', role: 'canary', ok: 30 },
      ],
      ({ version }) => (version === 'v3' ? 60 : 5),
    )
    expect(gate('canary health', slowThird)).toMatch(/^FAIL: canary's p95 is 60 ms/)
  })

  it.each([
    ['stable=100,canary=0', 'no request is meant for a canary'],
    ['stable=100', 'no request is meant for a canary'],
    ['stable=0,canary=100', 'no request is meant for stable, which canary would be compared with'],
  ])('does not apply to %s', (expectation, reason) => {
    const role = expectation.includes('canary=100') ? canary : stable
    const { verdict, gates } = judged(sampleOf([{ ...role, ok: 500 }]), { expect: expectation })
    expect(gates[2]).toEqual({ name: 'canary health', verdict: 'NOT APPLICABLE', reason })
    expect(verdict).toBe('PASS')
  })

  it.each([
    ['the roles that replies say', { ...stable, version: 'b' }, { ...canary, version: 'a' }, 'a=10,b=90'],
    ['the order where they say none', { version: 'b' }, { version: 'a' }, 'b=90,a=10'],
    ['what is left where one says it', { version: 'b' }, { version: 'a', role: 'canary' }, 'a=10,b=90'],
  ])('knows canary by %s', (_, good, bad, expectation) => {
    const sample = sampleOf([
      { ...good, ok: 450 },
      { ...bad, ok: 30, 500: 20 },
    ])
    expect(gate('canary health', sample, { expect: expectation })).toMatch(
      /^FAIL: canary failed 20 of 50 \(40 %\), stable 0 of 450/,
    )
  })
})

describe('what comes in bursts', () => {
  /** So many requests of each in each of so many tenths of a second, of which both or canary fail or are slow in the first few. */
  function inBursts(
    tenths: number,
    bad: number,
    { of, ofCanary, ofStable, ms = 0 }: { of: 'both' | 'canary'; ofCanary: number; ofStable: number; ms?: number },
  ) {
    const sample = new Sample()
    for (let tenth = 0; tenth < tenths; tenth++) {
      for (const [who, number] of [
        [canary, ofCanary],
        [stable, ofStable],
      ] as const) {
        const isBad = tenth < bad && (of === 'both' || who === canary)
        for (let i = 0; i < number; i++)
          sample.add({ ...who, error: isBad && ms === 0 ? '500' : undefined, microseconds: (isBad ? ms : 1) * 1000 }, tenth * 100)
      }
    }
    return sample
  }

  it('does not count for as much as what comes all the time', () => {
    // One tenth of a second in ten: 10 % of all requests, but a single event.
    const burst = inBursts(10, 1, { of: 'both', ofCanary: 10, ofStable: 90 })
    expect(gate('availability', burst)).toMatch(/^INCONCLUSIVE: 100 of 1,000 requests failed/)
    expect(
      gate(
        'availability',
        sampleOf([
          { ...stable, ok: 810, 500: 90 },
          { ...canary, ok: 90, 500: 10 },
        ]),
      ),
    ).toMatch(/^FAIL/)
    // Half of the time is no single event.
    expect(gate('availability', inBursts(40, 20, { of: 'both', ofCanary: 10, ofStable: 90 }))).toMatch(/^FAIL/)
  })

  it('is no difference where it hits both', () => {
    const options = { limits: { maxErrorRate: 1 }, beta: 0.01 }
    expect(
      gate('canary health', inBursts(60, 30, { of: 'both', ofCanary: 50, ofStable: 50 }), {
        ...options,
        expect: 'stable=1,canary=1',
      }),
    ).not.toMatch(/^FAIL/)
    expect(gate('canary health', inBursts(20, 1, { of: 'canary', ofCanary: 10, ofStable: 90 }))).toMatch(
      /^INCONCLUSIVE: canary failed 10 of 200 \(5 %\)/,
    )
    expect(
      gate(
        'canary health',
        sampleOf([
          { ...stable, ok: 1800 },
          { ...canary, ok: 190, 500: 10 },
        ]),
      ),
    ).toMatch(/^FAIL/)
  })

  it('is no difference of latency where it hits both', () => {
    const pauses = inBursts(50, 2, { of: 'both', ofCanary: 10, ofStable: 90, ms: 200 })
    expect(gate('canary health', pauses, { limits: { maxErrorIncrease: 1, detect: 1.02 } })).toMatch(/^PASS/)
    const pausesOfCanary = inBursts(50, 2, { of: 'canary', ofCanary: 10, ofStable: 90, ms: 200 })
    expect(gate('canary health', pausesOfCanary, { limits: { maxErrorIncrease: 1, detect: 1.02 } })).toMatch(/^INCONCLUSIVE/)
  })

  it('does not make a canary slow', () => {
    const pause = inBursts(10, 1, { of: 'canary', ofCanary: 30, ofStable: 90, ms: 200 })
    expect(gate('canary health', pause, { limits: { maxErrorIncrease: 1, detect: 1.02 } })).toMatch(
      /^INCONCLUSIVE: canary's p95 is 200 ms/,
    )
  })

  it('fails nothing before it could be told from what comes all the time, but for what nobody wants', () => {
    const soon = inBursts(4, 4, { of: 'both', ofCanary: 10, ofStable: 90 })
    expect(judged(soon).gates.map(({ verdict }) => verdict)).toEqual(['INCONCLUSIVE', 'PASS', 'INCONCLUSIVE'])
    expect(judged(soon, { enough: 400 }).gates[0]?.verdict).toBe('FAIL')
    const later = inBursts(5, 5, { of: 'both', ofCanary: 10, ofStable: 90 })
    expect(judged(later).gates[0]?.verdict).toBe('FAIL')
    expect(gate('split', soon, { expect: 'stable=1,canary=0' })).toMatch(/^FAIL/)
  })

  it('is not told from what comes all the time by many short stretches beside a long one', () => {
    const sample = new Sample()
    for (let tenth = 0; tenth < 8; tenth++) {
      const requests = tenth < 6 ? 20 : 190
      for (let i = 0; i < requests; i++) sample.add({ ...stable, error: tenth >= 6 && i < 26 ? '500' : undefined }, tenth * 100)
    }
    expect(gate('availability', sample, { expect: 'stable=1' })).toMatch(/^INCONCLUSIVE: 52 of 500 requests failed/)
  })

  it('takes more requests to decide, and stays open where there are not enough', () => {
    const burst = inBursts(10, 1, { of: 'both', ofCanary: 10, ofStable: 90 })
    expect(gate('availability', burst, { enough: 900 })).toMatch(/; errors or pauses come in bursts, too few of them to tell$/)
  })
})

describe('a pod of several', () => {
  it('is named where it alone fails', () => {
    const sample = sampleOf([
      { ...stable, pod: 's-1', ok: 900 },
      { ...canary, pod: 'c-1', ok: 100 },
      { ...canary, pod: 'c-2', ok: 70, 500: 30 },
      { ...canary, pod: 'c-3', ok: 100 },
    ])
    const named = 'pod c-2 failed 30 of 100, the other 2 pods 0 of 200'
    expect(gate('canary health', sample, { expect: 'stable=3,canary=1' })).toMatch(
      new RegExp(`^FAIL: canary failed 30 of 300 .*; ${named}$`),
    )
    expect(gate('availability', sample, { expect: 'stable=3,canary=1' })).toContain(named)
  })

  it('is not where all fail alike, or there is but one', () => {
    const alike = sampleOf(['c-1', 'c-2', 'c-3'].map((pod) => ({ ...canary, pod, ok: 70, 500: 30 })))
    expect(gate('availability', alike, { expect: 'canary=1' })).not.toContain('pod ')
    expect(gate('availability', sampleOf([{ ...canary, pod: 'c-1', ok: 70, 500: 30 }]), { expect: 'canary=1' })).not.toContain(
      'pod ',
    )
  })
})

it('Pauses that hit both at once are no difference, however long', () => {
  const many = { stable: 1764, canary: 196 }
  const isPaused = (part: number) => part > 0.5 && part < 0.545
  const sample = sampleOf(
    [
      { ...stable, ok: many.stable },
      { ...canary, ok: many.canary },
    ],
    ({ role }, index) => (isPaused(index / many[role as 'stable' | 'canary']) ? 300 : 2),
  )
  expect(judged(sample).verdict).toBe('PASS')
})
