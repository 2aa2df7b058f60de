import { count, percent } from '../format.ts'
import type { ReleaseNames } from '../roles.ts'
import type { HistoryOutput } from './outputs.ts'
import { fold, type Paint, type Style } from './terminal.ts'

type Revision = HistoryOutput['revisions'][number]

const HEADINGS = ['when', 'release', 'weights', 'version', 'what']
const GAP = '  '
const LONGEST_VERSION = 20
/** For the last column: where a terminal is too narrow for this, its lines are too long. */
const FEWEST_COLUMNS = 20

/** What was done to both releases, for people, no wider than `width` where words allow. */
export function historyText({ revisions }: HistoryOutput, names: ReleaseNames, width: number, paint: Paint): string {
  if (revisions.length === 0) return `Neither ${names.stable} nor ${names.canary} is installed.\n`
  const rows = revisions.map(cellsOf)
  const widths = HEADINGS.map((heading, column) => Math.max(...[heading, ...rows.map((row) => row[column] ?? '')].map(lengthOf)))
  const before = widths.slice(0, -1).reduce((sum, columns) => sum + columns + GAP.length, 0)
  const line = (cells: readonly string[]) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(GAP)
  return [
    paint('dim', line(HEADINGS).trimEnd()),
    ...rows.flatMap((row, index) => {
      const lines = fold(row.at(-1) ?? '', Math.max(FEWEST_COLUMNS, width - before))
      const head = `${line(row.slice(0, -1))}${GAP}`
      return lines.map((text, number) =>
        paint(styleOf(revisions[index] as Revision), `${number === 0 ? head : ' '.repeat(before)}${text}`),
      )
    }),
    '',
  ].join('\n')
}

const lengthOf = (text: string) => text.length

function cellsOf(revision: Revision): string[] {
  const { at, role, weights, version } = revision
  const shownVersion =
    version !== null && version.length > LONGEST_VERSION ? `${version.slice(0, LONGEST_VERSION - 1)}…` : version
  return [
    `${at.slice(0, 16).replace('T', ' ')}Z`,
    `${role} ${revision.revision}`,
    weights ? `${weights.stable}/${weights.canary}` : '–',
    shownVersion ?? '–',
    whatOf(revision),
  ]
}

/** Such as "promote: give canary 50 %, after PASS at 25 %, 800 requests; because of release 1.2". */
function whatOf({ status, command, step, judged, because }: Revision): string {
  const ended = status === 'deployed' || status === 'superseded' ? '' : `${status}: `
  const after = judged
    ? `, after ${[`${judged.verdict} at ${percent(judged.percentage / 100)}`, count(judged.requests, 'request'), ...judged.gates].join(', ')}`
    : ''
  return `${ended}${command === null ? '' : `${command}: `}${step}${after}${because === null ? '' : `; because ${because}`}`
}

function styleOf({ status, role, judged }: Revision): Style {
  if (status === 'failed' || judged?.verdict === 'FAIL') return 'red'
  return role === 'canary' ? 'yellow' : 'cyan'
}
