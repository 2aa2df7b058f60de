/** A share, such as "10 %", "10.4 %" or "0.03 %". */
export function percent(share: number): string {
  const value = share * 100
  return `${Number(value.toPrecision(Math.abs(value) < 1 ? 1 : 3))} %`
}

/** A difference of two shares, such as "5 points". */
export function points(difference: number): string {
  const number = Number((difference * 100).toPrecision(3))
  return `${number} ${number === 1 ? 'point' : 'points'}`
}

/** A latency, such as "0.85 ms", "12 ms" or "1,200 ms". */
export function milliseconds(ms: number | undefined): string {
  if (ms === undefined) return '–'
  return `${ms < 10 ? ms.toPrecision(2) : whole(ms)} ms`
}

const thousands = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

export const whole = (number: number): string => thousands.format(number)

/** A number of things, such as "1 reply" or "1,200 replies". */
export const count = (number: number, one: string, many = `${one}s`): string => `${whole(number)} ${number === 1 ? one : many}`

/** What counts hold, the most frequent first: "12 × 500, 1 × timeout". */
export const list = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([text, number]) => `${whole(number)} × ${text}`)
    .join(', ')

/** A command as it can be typed, whatever is in its words. */
export const typed = (words: readonly string[]): string =>
  words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ')
