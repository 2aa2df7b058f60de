import { isDeepStrictEqual } from 'node:util'
import { isMap, isScalar, type Node, type Pair, type Scalar, stringify, type YAMLMap, parseDocument as yamlDocument } from 'yaml'
import { WrongUse } from '../errors.ts'
import { type Role, roles } from '../roles.ts'

export type Weights = Record<Role, number>

/** What a values file says; only what is read here has a type. */
export interface Values {
  readonly [key: string]: unknown
  readonly traffic?: Partial<Weights>
  readonly image?: { readonly [key: string]: unknown; readonly tag?: string }
  readonly env?: { readonly [key: string]: string }
}

/** What is tested in canary, and then given to stable. */
export type PodValues = Pick<Values, 'image' | 'env'>

const podValueKeys = ['image', 'env'] as const

/** The podValues of a release, where nothing is as good as empty. */
function podValuesOf({ image = {}, env = {} }: PodValues): Required<PodValues> {
  return { image, env }
}

/** Whether two releases run the same image in the same environment. */
export const samePodValues = (a: PodValues, b: PodValues): boolean => isDeepStrictEqual(podValuesOf(a), podValuesOf(b))

/** The weights that a release's values give; those of the chart where they give none. */
export const weightsOf = ({ traffic }: Values): Weights => ({ stable: traffic?.stable ?? 100, canary: traffic?.canary ?? 0 })

export const ALL_STABLE: Weights = { stable: 100, canary: 0 }

/** Such as "90/10". */
export const showWeights = ({ stable, canary }: Weights): string => `${stable}/${canary}`

type Key = Pair<Scalar<string>, Node | null>

/**
 * Reads the text of a values file.
 * @throws {WrongUse} with one line, when it is not YAML, or no mapping
 */
export function parseValues(text: string, name: string): Values {
  const document = parse(text, name)
  try {
    return document.toJS() ?? {}
  } catch (error) {
    // Such as an alias that leads nowhere.
    throw new WrongUse(`${name} cannot be understood: ${(error as Error).message}`)
  }
}

function parse(text: string, name: string) {
  const document = yamlDocument(text, { merge: true, prettyErrors: true })
  const [error] = document.errors
  if (error) throw new WrongUse(`${name} is not one YAML document: ${error.message.split('\n')[0]?.replace(/:$/, '')}`)
  const { contents } = document
  if (contents !== null && !isMap(contents) && !(isScalar(contents) && contents.value === null))
    throw new WrongUse(`${name} holds ${text.trim().slice(0, 40)}: it must hold values by their names, such as "role: stable"`)
  return document
}

/** A text to put in the place of what is there from `start` to `end`. */
type Splice = readonly [start: number, end: number, text: string]

/**
 * The same text with other weights: every byte outside the two numbers stays.
 * @throws {WrongUse} when they are not written in a way that can be edited safely
 */
export function withWeights(text: string, weights: Weights, name: string): string {
  const { contents } = parse(text, name)
  const before = parseValues(text, name)
  const expected = { ...before, traffic: { ...before.traffic, ...weights } }
  const traffic = isMap(contents) ? pairOf(contents, 'traffic') : undefined
  const missing = roles.map((role) => `  ${role}: ${weights[role]}\n`).join('')
  if (!traffic) return verified(text, [append(text, contents, `traffic:\n${missing}`, name)], expected, name)
  if (isScalar(traffic.value) && traffic.value.value === null) {
    const [start, end] = blockOf(text, traffic)
    return verified(text, [[start, end, withEnds(text, `traffic:\n${missing}`)]], expected, name)
  }
  if (!isMap(traffic.value)) throw new WrongUse(`traffic in ${name} must be the two weights, stable and canary, themselves`)
  const map = traffic.value
  const present = roles.flatMap((role) => {
    const pair = pairOf(map, role)
    return pair ? [weightSplice(text, pair, weights[role], `traffic.${role} in ${name}`)] : []
  })
  const absent = roles.filter((role) => !pairOf(map, role)).map((role) => `${role}: ${weights[role]}`)
  return verified(text, [...present, ...(absent.length > 0 ? [entriesSplice(text, map, absent)] : [])], expected, name)
}

function weightSplice(text: string, { value }: Key, weight: number, what: string): Splice {
  const [start = 0, end = 0] = value?.range ?? []
  const written = text.slice(start, end)
  if (!isScalar(value) || !/^\d+$/.test(written))
    throw new WrongUse(`${what} is ${written || 'empty'}: it must be a whole number from 0 to 1000000, without quotes`)
  return [start, end, `${weight}`]
}

/** Puts entries in front of a mapping's own. */
function entriesSplice(text: string, { range, flow, items }: YAMLMap, entries: string[]): Splice {
  const start = range?.[0] ?? 0
  if (flow) return [start + 1, start + 1, [...entries, ...(items.length > 0 ? [''] : [])].join(', ')]
  const indent = text.slice(text.lastIndexOf('\n', start - 1) + 1, start)
  return [start, start, entries.map((entry) => `${entry}${lineEnd(text)}${indent}`).join('')]
}

/**
 * The same text with the image and environment of another: whole blocks, with comments where that other text says what is wanted.
 * @throws {WrongUse} when they are not written in a way that can be edited safely
 */
export function withPodValues(text: string, podValues: PodValues, from: string, name: string): string {
  const expected: Record<string, unknown> = { ...parseValues(text, name) }
  let next = text
  for (const key of podValueKeys) {
    const { contents } = parse(next, name)
    const pair = isMap(contents) ? pairOf(contents, key) : undefined
    const wanted = podValues[key]
    if (wanted === undefined) delete expected[key]
    else expected[key] = wanted
    // Written as it is, it stays as it is.
    if (pair && isDeepStrictEqual(pair.value?.toJS(yamlDocument(next, { merge: true })), wanted)) continue
    const block = wanted === undefined ? '' : withEnds(text, writtenBlock(key, wanted, from))
    if (pair) {
      if (isMap(contents) && contents.flow)
        throw new WrongUse(`${name} is written within braces: write each value on a line of its own`)
      const [start, end] = blockOf(next, pair)
      next = splice(next, [[start, end, block]])
    } else if (block) next = splice(next, [append(next, contents, block, name)])
  }
  return verified(next, [], expected, name)
}

/** The block as it is written there, if it says just that. */
function writtenBlock(key: (typeof podValueKeys)[number], wanted: unknown, from: string): string {
  try {
    const { contents } = parse(from, '')
    const pair = isMap(contents) && !contents.flow ? pairOf(contents, key) : undefined
    const written = pair ? `${from.slice(...blockOf(from, pair)).trimEnd()}\n` : ''
    // By itself: an alias would lead elsewhere.
    if (isDeepStrictEqual(parseValues(written, '')[key], wanted)) return written
  } catch {
    // What cannot stand by itself is written anew.
  }
  return stringify({ [key]: wanted })
}

/** From its key to the end of its last line. */
function blockOf(text: string, { key, value }: Key): [start: number, end: number] {
  const end = value?.range?.[1] ?? key.range?.[1] ?? 0
  if (text[end - 1] === '\n') return [key.range?.[0] ?? 0, end]
  const next = text.indexOf('\n', end)
  return [key.range?.[0] ?? 0, next === -1 ? text.length : next + 1]
}

function append(text: string, contents: Node | null, block: string, name: string): Splice {
  if (isMap(contents) && contents.flow)
    throw new WrongUse(`${name} is written within braces: write each value on a line of its own`)
  const end = isMap(contents) ? (contents.range?.[1] ?? text.length) : text.length
  const isAtStart = end === 0 || text[end - 1] === '\n'
  if (isAtStart) return [end, end, withEnds(text, block)]
  const next = text.indexOf('\n', end)
  return next === -1 ? [text.length, text.length, withEnds(text, `\n${block}`)] : [next + 1, next + 1, withEnds(text, block)]
}

const pairOf = (map: YAMLMap, key: string) =>
  map.items.find((pair) => isScalar(pair.key) && pair.key.value === key) as Key | undefined

const lineEnd = (text: string) => (text.includes('\r\n') ? '\r\n' : '\n')

const withEnds = (text: string, block: string) => block.replaceAll(/\r?\n/g, lineEnd(text))

function splice(text: string, splices: Splice[]): string {
  return splices.toSorted(([a], [b]) => b - a).reduce((all, [start, end, by]) => all.slice(0, start) + by + all.slice(end), text)
}

/** Anchors, merges and much else may make a harmless edit say something else; then it is not made. */
function verified(text: string, splices: Splice[], expected: unknown, name: string): string {
  const next = splice(text, splices)
  let said: unknown
  try {
    said = parseValues(next, name)
  } catch {
    // Said below.
  }
  if (!isDeepStrictEqual(said, expected))
    throw new WrongUse(`${name} cannot be edited without changing something else (anchors? odd indentation?): edit it by hand`)
  return next
}
