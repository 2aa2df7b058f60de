import { parseExpectation } from '../../../src/canary/verdict/expectation.ts'
import type { Verdict } from '../../../src/canary/verdict/gate.ts'
import { ALPHA, BETA, plan } from '../../../src/canary/verdict/plan.ts'
import { rarelyExceeded } from '../../../src/canary/verdict/statistics.ts'
import { markdownTable } from '../../markdown.ts'
import { seeded } from '../../seeded.ts'
import { limits } from './samples.ts'
import { simulateBake, simulateCheck, type Truth } from './simulate.ts'
import { type Rates, ratesOf, truths } from './truths.ts'

type Truths = Record<string, (share: number) => Truth>

const whole = (number: number) => Math.round(number).toLocaleString('en')
const percentOf = (number: number, all: number) => Number(((number / all) * 100).toPrecision(2))
const named = (share: number) => `${share * 100} %`

/** More of so many would come of a rate that is kept once in 1000 tables. */
function refuse(what: string, number: number, checks: number, rate: number): void {
  const most = rarelyExceeded(checks, rate, 1e-5)
  if (number > most) throw new Error(`${what}: ${number} of ${checks}, at most ${most} may be chance`)
}

/** What a cell says: percent FAIL / PASS, and the mean number of requests, with the one that one in twenty exceeds. */
export function cellOf({ PASS, FAIL, INCONCLUSIVE, mean, p95 }: Rates, checks: number): string {
  const verdicts = [FAIL, PASS, ...(INCONCLUSIVE > 0 ? [INCONCLUSIVE] : [])].map((number) => percentOf(number, checks))
  return `${verdicts.join(' / ')}; ${whole(mean)} (${whole(p95)})`
}

function rowsOf(kinds: Truths, shares: number[], checks: number, wrong?: Verdict): string[][] {
  return Object.entries(kinds).map(([name, truth]) => {
    const cells = shares.map((share) => {
      const rates = ratesOf(share, truth(share), checks)
      if (wrong) refuse(`${name}, ${named(share)}: ${wrong}`, rates[wrong], checks, wrong === 'FAIL' ? ALPHA : BETA)
      return cellOf(rates, checks)
    })
    return [name, ...cells]
  })
}

const checkTable = (shares: number[], ...rows: string[][][]) =>
  markdownTable(['canary is configured to get', ...shares.map(named)], rows.flat())

const PROMOTION = [0.1, 0.25, 0.5, 1]

const promotions = {
  'nothing is wrong': (share) => ({ share, spreading: 'random' }),
  'both fail 0.5 %': (share) => ({ share, spreading: 'random', stableErrors: 0.005, canaryErrors: 0.005 }),
  'canary fails 2 %': truths.between['canary fails 2 %'],
  'canary fails 3 %': truths.faulty['canary fails 3 %'],
  'canary fails 5 %': truths.faulty['canary fails 5 %'],
  'canary fails 10 %': truths.faulty['canary fails 10 %'],
  'canary fails 20 %': truths.faulty['canary fails 20 %'],
  'canary fails 50 %': truths.faulty['canary fails 50 %'],
  'one in seven of canary takes 100 ms more': truths.faultyLatency['one in seven of canary takes 100 ms more'],
  'canary is three times as slow': truths.faultyLatency['canary is three times as slow'],
} satisfies Truths

/** `promote --steps 25,50,100` from 90/10 on, as far as its first FAIL. */
function promotionTable(runs: number): string {
  const steps = PROMOTION.map((share) => {
    const expectation = parseExpectation(`stable=${1 - share},canary=${share}`)
    // Its last look, that every reply is from stable, has a part of the budget too.
    return { share, expectation, planned: plan(expectation, limits, { steps: PROMOTION.length + 1 }) }
  })
  const rows = Object.entries(promotions).map(([name, truth]) => {
    const random = seeded(1)
    const ends = { promoted: 0, 'taken back': 0 }
    const [requests, toCanary]: [number[], number[]] = [[], []]
    for (let run = 0; run < runs; run++) {
      let [asked, met, isPassed] = [0, 0, true]
      for (const { share, expectation, planned } of steps) {
        const { verdict, sample, requests } = simulateCheck(truth(share), expectation, planned, random)
        asked += requests
        met += sample.sources.filter(({ role }) => role === 'canary').reduce((sum, { replies }) => sum + replies, 0)
        isPassed = verdict === 'PASS'
        if (!isPassed) break
      }
      ends[isPassed ? 'promoted' : 'taken back']++
      requests.push(asked)
      toCanary.push(met)
    }
    if (/nothing|both/.test(name)) refuse(`promotion, ${name}`, ends['taken back'], runs, ALPHA)
    else if (name !== 'canary fails 2 %') refuse(`promotion, ${name}`, ends.promoted, runs, BETA)
    const cost = (numbers: number[]) => {
      const mean = numbers.reduce((sum, number) => sum + number, 0) / runs
      return `${whole(mean)} (${whole(numbers.toSorted((a, b) => a - b)[Math.ceil(0.95 * runs) - 1] as number)})`
    }
    return [name, `${percentOf(ends['taken back'], runs)} / ${percentOf(ends.promoted, runs)}`, cost(requests), cost(toCanary)]
  })
  return markdownTable(['', 'taken back / promoted, %', 'requests', 'of them to canary'], rows)
}

const beside = {
  'nothing is wrong': (share) => ({ share, spreading: 'random' }),
  'both fail 0.5 %': truths.healthy['both fail 0.5 %'],
  ...truths.between,
  'canary fails 3 %': truths.faulty['canary fails 3 %'],
  'canary fails 5 %': truths.faulty['canary fails 5 %'],
  'canary fails 10 %': truths.faulty['canary fails 10 %'],
  'canary fails 20 %': truths.faulty['canary fails 20 %'],
} satisfies Truths

/** The success rates of canary below which a measurement fails, in the documentation of each. */
const thresholds = { Flagger: 0.99, 'Argo Rollouts': 0.95 }

/** What a single measurement against a threshold says of the samples by which check decides. */
function besideTable(checks: number): string {
  const share = 0.1
  const expectation = parseExpectation(`stable=${1 - share},canary=${share}`)
  const planned = plan(expectation, limits)
  const rows = Object.entries(beside).map(([name, truth]) => {
    const random = seeded(1)
    const fails = { check: 0, Flagger: 0, 'Argo Rollouts': 0 }
    for (let check = 0; check < checks; check++) {
      const { verdict, sample } = simulateCheck(truth(share), expectation, planned, random)
      const canary = sample.sources.find(({ role }) => role === 'canary')
      if (verdict === 'FAIL') fails.check++
      const success = canary ? 1 - canary.errors.total / canary.replies : 1
      for (const [controller, least] of Object.entries(thresholds))
        if (success < least) fails[controller as keyof typeof thresholds]++
    }
    return [name, ...Object.values(fails).map((number) => `${percentOf(number, checks)}`)]
  })
  return markdownTable(
    ['FAIL, %', '`check`', ...Object.entries(thresholds).map(([name, least]) => `${name}, success below ${least * 100} %`)],
    rows,
  )
}

const smallShares: Truths = {
  'nothing is wrong': (share) => ({ share, spreading: 'random' }),
  'canary gets 0.2 %': () => ({ share: 0.002, spreading: 'random' }),
  'canary gets 4 %': () => ({ share: 0.04, spreading: 'random' }),
  'canary gets nothing': () => ({ share: 0, spreading: 'random' }),
  'canary fails 5 %': (share) => ({ share, spreading: 'random', canaryErrors: 0.05 }),
  'canary fails 20 %': (share) => ({ share, spreading: 'random', canaryErrors: 0.2 }),
}

/** What may be true of ten minutes of real traffic. */
export const bakes = {
  'nothing is wrong': (share) => ({ share, spreading: 'random' }),
  'both fail 0.5 %': truths.healthy['both fail 0.5 %'],
  'both fail for 1 s every 5 minutes': (share) => ({
    share,
    spreading: 'random',
    bursts: { ms: 1000, every: 300_000, of: 'both' },
  }),
  'canary fails 2 %': truths.between['canary fails 2 %'],
  'canary fails 3 %': truths.faulty['canary fails 3 %'],
  'canary fails 5 %': truths.faulty['canary fails 5 %'],
  'canary fails 20 %': truths.faulty['canary fails 20 %'],
} satisfies Truths

/** What ten minutes of real traffic come to: percent FAIL / PASS, INCONCLUSIVE if any, and the mean of the seconds until a FAIL. */
export function bakeTable(number: number): string {
  const shares = [0.1, 0.5]
  const rows = Object.entries(bakes).map(([name, truth]) => {
    const cells = shares.map((share) => {
      const random = seeded(1)
      const planned = plan(parseExpectation(`stable=${1 - share},canary=${share}`), limits, { isTraffic: true })
      const ends = Array.from({ length: number }, () => simulateBake(truth(share), planned, random))
      const [fail, pass, open] = (['FAIL', 'PASS', 'INCONCLUSIVE'] as const).map((verdict) =>
        ends.filter((end) => end.verdict === verdict),
      ) as [typeof ends, typeof ends, typeof ends]
      if (/nothing|both/.test(name)) refuse(`bake, ${name}, ${named(share)}`, fail.length, number, ALPHA)
      else if (name !== 'canary fails 2 %') refuse(`bake, ${name}, ${named(share)}`, pass.length, number, BETA)
      const verdicts = [fail, pass, ...(open.length > 0 ? [open] : [])].map(({ length }) => percentOf(length, number))
      const seconds = fail.reduce((sum, end) => sum + end.seconds, 0) / fail.length
      return `${verdicts.join(' / ')}${fail.length > 0 ? `; ${whole(seconds)} s` : ''}`
    })
    return [name, ...cells]
  })
  return markdownTable(['canary is configured to get', ...shares.map(named)], rows)
}

/** How many checks there are in a cell of the largest tables. */
export const CHECKS = 4000

/**
 * All tables, by the name of their place in docs/verdict.md.
 * @throws {Error} where chance does not explain how often a verdict is wrong
 */
export function* verdictTables(checks = CHECKS): Generator<[name: string, table: string]> {
  const { healthy, between, faulty, healthyLatency, faultyLatency } = truths
  const shares = [0.05, 0.1, 0.25, 0.5]
  // These take long: latencies are drawn one by one.
  const few = Math.ceil(checks / 4)
  yield ['real traffic', bakeTable(few)]
  yield ['promotions', promotionTable(few)]
  yield ['beside', besideTable(few)]
  yield ['small shares', checkTable([0.01], rowsOf(smallShares, [0.01], few))]
  yield [
    'latency',
    checkTable([0.1, 0.5], rowsOf(healthyLatency, [0.1, 0.5], few, 'FAIL'), rowsOf(faultyLatency, [0.1, 0.5], few, 'PASS')),
  ]
  yield ['faulty', checkTable(shares, rowsOf(between, shares, checks), rowsOf(faulty, shares, checks, 'PASS'))]
  yield ['healthy', checkTable(shares, rowsOf(healthy, shares, checks, 'FAIL'))]
}
