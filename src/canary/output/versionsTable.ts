import { list, percent, whole } from '../format.ts'
import { Counts, quantileMs, type Sample, type Source } from '../sampling/sample.ts'
import { type Expectation, findExpected, nameOf } from '../verdict/expectation.ts'
import { alwaysValidInterval } from '../verdict/statistics.ts'
import type { Paint, Style } from './terminal.ts'

interface Row {
  name: string
  style: Style
  share: number
  errors: Counts
  /** By the column's heading. */
  cells: Partial<Record<string, string>>
}

const LATENCIES = ' p50  p95  p99 ms'
const HEADINGS = ['replies', 'share', '95 %', 'expected', 'per s', LATENCIES]
/** What goes first where there is too little room. */
const EXPENDABLE = ['per s', '95 %', LATENCIES, 'replies', 'expected']
const GAP = '  '
const SHORTEST_NAME = 14
const BAR = { shortest: 12, longest: 60 }

/** A table, no wider than `width` if that is 30 or more, of who answered in a sample that took so many seconds, and of all errors. */
export function versionsTable(sample: Sample, expectation: Expectation, seconds: number, width: number, paint: Paint): string[] {
  const rows = [...answered(sample, expectation, seconds), ...silent(sample, expectation), ...unanswered(sample)]
  if (rows.length === 0) return [paint('dim', 'no reply yet')]
  const used = HEADINGS.filter((heading) => rows.some(({ cells }) => cells[heading]))
  const widthOf = (heading: string) => Math.max(heading.length, ...rows.map(({ cells }) => cells[heading]?.length ?? 0))
  const cellsWidth = () => used.reduce((sum, heading) => sum + GAP.length + widthOf(heading), 0)

  const longestName = Math.max(...rows.map(({ name }) => name.length))
  for (const heading of EXPENDABLE) {
    const index = used.indexOf(heading)
    if (index !== -1 && Math.max(SHORTEST_NAME, longestName) + cellsWidth() > width) used.splice(index, 1)
  }
  const nameWidth = Math.min(longestName, Math.max(SHORTEST_NAME, width - cellsWidth()))
  const room = width - nameWidth - cellsWidth() - GAP.length
  const barWidth = room < BAR.shortest ? 0 : Math.min(room, BAR.longest)

  const line = (name: string, cells: Row['cells'], bar: string) => {
    const shown = name.length > nameWidth ? `${name.slice(0, nameWidth - 1)}…` : name.padEnd(nameWidth)
    return [
      shown,
      ...(barWidth ? [bar.padEnd(barWidth)] : []),
      ...used.map((heading) => (cells[heading] ?? '').padStart(widthOf(heading))),
    ]
      .join(GAP)
      .trimEnd()
  }
  const head = line('', Object.fromEntries(HEADINGS.map((heading) => [heading, heading])), '')
  return [
    paint('dim', head),
    ...rows.flatMap(({ name, style, share, errors, cells }) => [
      paint(style, line(name, cells, bar(share, barWidth))),
      ...(errors.size > 0 ? [paint('red', `${GAP}${list(errors)}`.slice(0, width))] : []),
    ]),
  ]
}

function answered(sample: Sample, expectation: Expectation, seconds: number): Row[] {
  const place = (source: Source) => {
    const expected = findExpected(expectation, source)
    return expected ? expectation.indexOf(expected) : expectation.length + Number(source.role === 'canary')
  }
  const sources = sample.sources.toSorted((a, b) => place(a) - place(b))
  return sources.map((source) => {
    const { replies, latency, role, errors } = source
    const expected = findExpected(expectation, source)
    const isStranger = expectation.length > 0 && !expected
    const latencies = [0.5, 0.95, 0.99].map((q) => quantileMs(latency, q)).filter((ms) => ms !== undefined)
    return {
      name: nameOf(source),
      style: isStranger ? 'red' : role === 'canary' ? 'yellow' : 'cyan',
      share: replies / sample.requests,
      errors,
      cells: {
        ...shareOf(replies, sample.requests),
        ...(expectation.length > 0 && { expected: percent(expected?.share ?? 0) }),
        'per s': shortest(replies / seconds),
        ...(latencies.length > 0 && { [LATENCIES]: `${latencies.map((ms) => shortest(ms).padStart(4)).join(' ')} ms` }),
      },
    }
  })
}

/** Those expected that have not answered. */
function silent(sample: Sample, expectation: Expectation): Row[] {
  const seen = sample.sources.map((source) => findExpected(expectation, source))
  return expectation
    .filter((entry) => !seen.includes(entry))
    .map((entry) => ({
      name: nameOf(entry),
      style: entry.share > 0 ? 'red' : 'dim',
      share: 0,
      errors: new Counts(),
      cells: { ...shareOf(0, sample.requests), expected: percent(entry.share) },
    }))
}

function unanswered({ failures, requests }: Sample): Row[] {
  const { total } = failures
  if (total === 0) return []
  return [{ name: 'no version', style: 'red', share: total / requests, errors: failures, cells: shareOf(total, requests) }]
}

function shareOf(number: number, of: number): Row['cells'] {
  if (of === 0) return { replies: '0' }
  const [low, high] = alwaysValidInterval(number, of, 0.05).map((share) => (share * 100).toFixed(1))
  return { replies: whole(number), share: `${((number / of) * 100).toFixed(1)} %`, '95 %': `${low}–${high}` }
}

const bar = (share: number, width: number) => '█'.repeat(Math.round(share * width))

/** At most four characters, up to 9999. */
const shortest = (number: number) => (number < 9.95 ? number.toPrecision(2).slice(0, 4) : `${Math.round(number)}`)
