import { count, percent } from '../format.ts'
import { fold, type Paint } from '../output/terminal.ts'
import { unsentText } from '../output/unsentText.ts'
import { versionsTable } from '../output/versionsTable.ts'
import type { Sample } from '../sampling/sample.ts'
import type { History } from './history.ts'
import { splitSoFar } from './splitSoFar.ts'

const BLOCKS = [...'▁▂▃▄▅▆▇█']

/**
 * What there is to see, no wider than `width`.
 * @param shown the part of the history that the table is about
 * @param seconds how long the history is
 */
export function watchScreen(
  url: string,
  history: History,
  shown: { sample: Sample; seconds: number },
  seconds: number,
  width: number,
  paint: Paint,
): string {
  const { total, expectation } = history
  const isPart = shown.sample.requests < total.requests
  return [
    ...fold(`${url}: ${count(total.requests, 'request')} in ${clock(seconds)}`, width),
    isPart ? paint('dim', `the last ${count(shown.sample.requests, 'request')}:`) : '',
    ...versionsTable(shown.sample, expectation, shown.seconds, width, paint),
    ...splitLines(history, width, paint),
    ...trendLines(history, width, paint),
    ...notes(history).flatMap((note) => ['', ...fold(note, width).map((line) => paint('red', line))]),
    '',
  ].join('\n')
}

function splitLines({ sinceAnnounced, expectation }: History, width: number, paint: Paint): string[] {
  const { isWrong, text } = splitSoFar(sinceAnnounced, expectation) ?? {}
  if (text === undefined || sinceAnnounced.requests === 0) return []
  return ['', ...fold(text, width).map((line) => (isWrong ? paint('red', line) : line))]
}

function notes({ total }: History): string[] {
  const { announced } = total
  return [
    ...(announced.size > 1 ? [`the announced split has changed: ${[...announced.keys()].join(', then ')}`] : []),
    ...unsentText(total),
  ]
}

function trendLines({ trend }: History, width: number, paint: Paint): string[] {
  const shown = trend.slice(-width)
  const top = Math.max(0, ...shown.map((share) => share ?? 0))
  if (top === 0) return []
  const block = (share: number | undefined) =>
    share === undefined ? ' ' : BLOCKS[Math.min(BLOCKS.length - 1, Math.floor((share / top) * BLOCKS.length))]
  const heading = `canary's share, second by second, up to ${percent(top)}:`
  return ['', paint('dim', heading), paint('yellow', shown.map(block).join(''))]
}

/** Such as "1:05" or "1:00:05". */
function clock(seconds: number): string {
  const [h, m, s] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor) as [number, number, number]
  const padded = (number: number) => `${number}`.padStart(2, '0')
  return h > 0 ? `${h}:${padded(m)}:${padded(s)}` : `${m}:${padded(s)}`
}
