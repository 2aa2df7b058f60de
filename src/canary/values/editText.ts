import { isDeepStrictEqual } from 'node:util'
import {
  Document,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseAllDocuments,
  Scalar,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { WrongUse } from '../errors.ts'
import { isJson } from './isJson.ts'

export type Mapping = Readonly<Record<string, unknown>>

/** A text to put in the place of what is there from `start` to `end`. */
interface Splice {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Where a value stands. */
interface Slot {
  readonly node: Node | null
  /** Behind the colon of its key, or the dash of its entry. */
  readonly after: number
  /** Of its key, or its dash; undefined within brackets and braces. */
  readonly column: number | undefined
}

/** Within brackets or braces. */
interface Entry {
  readonly start: number
  readonly end: number
  readonly isGone: boolean
}

type Key = Pair<Scalar<string>, Node | null>

// What scalars mean is Helm's to say; here, only where they stand counts.
const LAYOUT = { schema: 'failsafe', uniqueKeys: false, keepSourceTokens: true, logLevel: 'silent' } as const

/**
 * A YAML text that says something else, with as few changes as can be; what it then means has yet to be read.
 * @param before what it says
 * @param wanted what it is to say
 * @throws {WrongUse} with the reason, when the text does not show where to do that
 */
export function editText(text: string, before: Mapping, wanted: Mapping): string {
  return new Edit(text).of(before, wanted)
}

class Edit {
  readonly #text: string
  readonly #lineEnd: string
  readonly #isJson: boolean
  readonly #splices: Splice[] = []

  constructor(text: string) {
    this.#text = text
    this.#lineEnd = text.includes('\r\n') ? '\r\n' : '\n'
    this.#isJson = isJson(text)
  }

  of(before: Mapping, wanted: Mapping): string {
    const documents = parseAllDocuments(this.#text, LAYOUT)
    const [error] = documents.flatMap(({ errors }) => errors)
    if (error) throw new WrongUse(`its layout is not clear (${error.message.split('\n')[0]?.replace(/:$/, '')})`)
    const filled = documents.filter(({ contents }) => contents && !isEmpty(contents))
    if (filled.length > 1) throw new WrongUse('it holds several YAML documents, which each Helm reads in its own way')
    const root = filled[0]?.contents
    if (isMap(root)) this.#mapping(root, before, wanted)
    else if (root) throw new WrongUse('its values do not stand in it by their names')
    else this.#insertLines(this.#nextLine(documents[0]?.contents?.range?.[0] ?? this.#text.length), this.#lines(wanted, 0))
    // Of two that begin at one place, the first put there stays first.
    return this.#splices
      .toReversed()
      .toSorted((a, b) => b.start - a.start || b.end - a.end)
      .reduce((all, { start, end, text }) => all.slice(0, start) + text + all.slice(end), this.#text)
  }

  #put(start: number, end: number, text: string): void {
    this.#splices.push({ start, end, text })
  }

  #mapping(map: YAMLMap, before: Mapping, wanted: Mapping): void {
    const pairs = map.items as Key[]
    // Of two with one name, Helm takes the last.
    const own = (key: string) => pairs.findLast((pair) => isScalar(pair.key) && pair.key.value === key)
    const added: Record<string, unknown> = {}
    for (const [key, value] of Object.entries(wanted)) {
      if (key in before && isDeepStrictEqual(before[key], value)) continue
      const pair = own(key)
      if (pair) this.#value(this.#slotOf(pair, map), before[key], value)
      else added[key] = value
    }
    const removed = Object.keys(before).filter((key) => !(key in wanted))
    const gone = removed.map((key) => own(key) ?? cannot(`${key} is not written where it counts`))
    if (map.flow) {
      const entries = pairs.map((pair) => ({ start: startOf(pair.key), end: endOfPair(pair), isGone: gone.includes(pair) }))
      this.#flowEntries(entries, this.#inlinePairs(added))
    } else this.#blockPairs(pairs, gone, added)
  }

  #slotOf(pair: Key, map: YAMLMap): Slot {
    const { key, value, srcToken } = pair
    const colon = srcToken?.sep?.find(({ type }) => type === 'map-value-ind') ?? cannot(`${key.value} has no value`)
    return { node: value, after: colon.offset + 1, column: map.flow ? undefined : this.#column(startOf(key)) }
  }

  #blockPairs(pairs: Key[], gone: Key[], added: Mapping): void {
    for (const pair of gone) {
      const start = startOf(pair.key)
      const line = this.#lineStart(start)
      const next = pairs[pairs.indexOf(pair) + 1]
      if (this.#text.slice(line, start).trim() === '') this.#put(line, this.#nextLine(endOfPair(pair)), '')
      // Behind a dash.
      else if (next && !gone.includes(next)) this.#put(start, startOf(next.key), '')
      else cannot(`${pair.key.value} shares its line with something else`)
    }
    const [first, last] = [pairs[0], pairs.at(-1)]
    if (Object.keys(added).length === 0 || !first || !last) return
    // At the end: what stands above a merge, it may hide.
    this.#insertLines(this.#nextLine(endOfPair(last)), this.#lines(added, this.#column(startOf(first.key))))
  }

  /** Takes entries out of brackets or braces, and puts others in at the end. */
  #flowEntries(entries: Entry[], added: string[]): void {
    let hasKept = false
    entries.forEach(({ start, end, isGone }, index) => {
      hasKept ||= !isGone
      if (!isGone) return
      // With the comma before it or, where nothing is left there, behind it.
      if (hasKept) this.#put(entries[index - 1]?.end ?? start, end, '')
      else this.#put(start, entries[index + 1]?.start ?? end, '')
    })
    const end = entries.at(-1)?.end
    if (added.length > 0 && end !== undefined) this.#put(end, end, [...(hasKept ? [''] : []), ...added].join(', '))
  }

  #sequence(sequence: YAMLSeq, before: unknown[], wanted: unknown[]): void {
    const items = sequence.items as Node[]
    const dashes = (sequence.srcToken as { items?: { start?: { type: string; offset: number }[] }[] } | undefined)?.items?.map(
      ({ start }) => start?.find(({ type }) => type === 'seq-item-ind')?.offset,
    )
    items.slice(0, wanted.length).forEach((node, index) => {
      const dash = dashes?.[index]
      const slot =
        sequence.flow || dash === undefined
          ? { node, after: startOf(node), column: undefined }
          : { node, after: dash + 1, column: this.#column(dash) }
      this.#value(slot, before[index], wanted[index])
    })
    const gone = items.slice(wanted.length)
    const added = wanted.slice(items.length)
    if (sequence.flow) {
      const entries = items.map((item) => ({ start: startOf(item), end: endOf(item), isGone: gone.includes(item) }))
      this.#flowEntries(
        entries,
        added.map((value) => this.#inline(value)),
      )
      return
    }
    for (const item of gone) {
      const dash = dashes?.[items.indexOf(item)] ?? cannot('a list in it has no dashes')
      this.#put(this.#lineStart(dash), this.#nextLine(endOf(item)), '')
    }
    const last = items.at(-1)
    if (added.length > 0 && last)
      this.#insertLines(this.#nextLine(endOf(last)), this.#lines(added, this.#column(dashes?.[0] ?? 0)))
  }

  #value(slot: Slot, before: unknown, wanted: unknown): void {
    if (isDeepStrictEqual(before, wanted)) return
    const { node } = slot
    if (isMap(node) && node.items.length > 0 && isMapping(before) && isMapping(wanted) && isFilled(wanted))
      this.#mapping(node, before, wanted)
    else if (isSeq(node) && node.items.length > 0 && Array.isArray(before) && Array.isArray(wanted) && isFilled(wanted))
      this.#sequence(node, before, wanted)
    else this.#replace(slot, wanted)
  }

  /** Puts another value in the place of one. */
  #replace({ node, after, column }: Slot, wanted: unknown): void {
    const text = this.#text
    const isThere = node !== null && !isEmpty(node)
    const start = isThere ? startOf(node) : after
    let end = isThere ? endOf(node) : after
    const hasOwnLines = isCollection(node) && !node.flow && this.#lineStart(start) > after
    if (hasOwnLines) {
      const lines = isFilled(wanted) ? this.#lines(wanted, this.#column(start)) : ''
      if (!lines) this.#put(after, after, ` ${this.#inline(wanted)}`)
      this.#put(this.#lineStart(start), this.#nextLine(end), lines)
    } else if (isFilled(wanted) && column !== undefined && text[after - 1] === ':' && (!isThere || isOnOneLine(node))) {
      let from = start
      while (from > after && /[ \t]/.test(text[from - 1] ?? '')) from--
      this.#put(from, end, '')
      this.#insertLines(this.#nextLine(end), this.#lines(wanted, column + 2))
    } else {
      while (end > start && /[\r\n]/.test(text[end - 1] ?? '')) end--
      const style = isScalar(node) ? node.type : undefined
      this.#put(start, end, `${start === after && /[:-]/.test(text[after - 1] ?? '') ? ' ' : ''}${this.#inline(wanted, style)}`)
    }
  }

  /** Whole lines for values, or for the entries of a list. */
  #lines(value: unknown, column: number): string {
    const document = new Document(value)
    visit(document, {
      Scalar: (_, node) => {
        if (typeof node.value !== 'string' || /\n/.test(node.value)) return
        node.type = isPlain(node.value) ? Scalar.PLAIN : Scalar.QUOTE_DOUBLE
      },
    })
    return document
      .toString({ lineWidth: 0, blockQuote: 'literal' })
      .replaceAll(/^(?=.)/gm, ' '.repeat(column))
      .replaceAll('\n', this.#lineEnd)
  }

  #insertLines(at: number, lines: string): void {
    const isFirst = !this.#splices.some(({ start, end }) => start === at && end === at)
    const isBehindLine = isFirst && at > 0 && this.#text[at - 1] !== '\n'
    this.#put(at, at, isBehindLine ? this.#lineEnd + lines : lines)
  }

  /** A value on one line. */
  #inline(value: unknown, style?: Scalar.Type): string {
    if (Array.isArray(value)) return `[${value.map((entry) => this.#inline(entry)).join(', ')}]`
    if (!isMapping(value)) return this.#scalar(value, style)
    return `{${this.#inlinePairs(value).join(', ')}}`
  }

  #inlinePairs(mapping: Mapping): string[] {
    return Object.entries(mapping).map(([key, value]) => `${this.#scalar(key)}: ${this.#inline(value)}`)
  }

  #scalar(value: unknown, style?: Scalar.Type): string {
    if (typeof value !== 'string') return JSON.stringify(value)
    if (style === Scalar.QUOTE_SINGLE && PRINTABLE.test(value)) return `'${value.replaceAll("'", "''")}'`
    if (style !== Scalar.QUOTE_DOUBLE && !this.#isJson && isPlain(value)) return value
    return JSON.stringify(value).replaceAll(
      UNPRINTABLE,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
  }

  #lineStart(position: number): number {
    const start = this.#text.lastIndexOf('\n', position - 1) + 1
    return start === 0 && this.#text.startsWith('\ufeff') ? 1 : start
  }

  /** Where the line after this ends begins. */
  #nextLine(position: number): number {
    if (this.#text[position - 1] === '\n') return position
    const end = this.#text.indexOf('\n', position)
    return end === -1 ? this.#text.length : end + 1
  }

  #column(position: number): number {
    return position - this.#lineStart(position)
  }
}

function cannot(why: string): never {
  throw new WrongUse(why)
}

export const isMapping = (value: unknown): value is Mapping =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

/** A value that is left out, whatever stands before it. */
const isEmpty = (node: Node) => isScalar(node) && node.range?.[0] === node.range?.[1] && (node.type ?? 'PLAIN') === 'PLAIN'

const isOnOneLine = (node: Node) => isScalar(node) && node.type !== Scalar.BLOCK_LITERAL && node.type !== Scalar.BLOCK_FOLDED

const isFilled = (value: unknown) => value !== null && typeof value === 'object' && Object.keys(value).length > 0

const startOf = ({ range }: Node) => range?.[0] ?? 0

/** Where what is written ends: with a block come the comments after it, which belong to what follows as well. */
function endOf(node: Node): number {
  const last = isCollection(node) && !node.flow ? node.items.at(-1) : undefined
  if (last === undefined) return node.range?.[1] ?? 0
  return isMap(node) ? endOfPair(last as Pair) : endOf(last as Node)
}

function endOfPair({ key, value }: Pair): number {
  return value === null || value === undefined ? ((key as Node).range?.[1] ?? 0) : endOf(value as Node)
}

/** Strings that no YAML takes for anything else, though they have no quotes. */
const isPlain = (text: string) =>
  /^[A-Za-z_][\w./-]*(?: [\w./-]+)*$/.test(text) && !/^(y|n|yes|no|on|off|true|false|null)$/i.test(text)

const PRINTABLE = /^[ -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe]*$/
// YAML knows them by their escapes alone.
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g
