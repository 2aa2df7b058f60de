import type { IncomingHttpHeaders } from 'node:http'
import { Mistake } from './mistake.ts'
import type { HTTPRoute, Manifest } from './render.ts'
import { Spread } from './spread.ts'
import { type Known, unknownFields } from './unknownFields.ts'

export interface Backend {
  readonly service: string
  readonly port: number
  readonly weight: number
  readonly headerChanges: HeaderChanges
}

/** Changes that a rule, or a backend of it, makes to the headers of its replies. */
export interface HeaderChanges {
  readonly set: readonly { readonly name: string; readonly value: string }[]
  readonly add: readonly { readonly name: string; readonly value: string }[]
  readonly remove: readonly string[]
}

export interface Rule {
  readonly backends: Spread<Backend>
  readonly headerChanges: HeaderChanges
}

interface Match {
  /** Any, where it is left out. */
  readonly path: string | undefined
  /** Names in lower case, and values. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly rule: Rule
}

const header: Known = { name: true, value: true }

const filters: Known = {
  type: 'ResponseHeaderModifier',
  responseHeaderModifier: { set: header, add: header, remove: true },
}

const known: Known = {
  // Which Gateway is for a cluster to know; here is only one.
  parentRefs: true,
  hostnames: true,
  rules: {
    name: true,
    matches: {
      path: { type: 'Exact', value: true },
      headers: { ...header, type: 'Exact' },
    },
    filters,
    backendRefs: { group: '', kind: 'Service', name: true, port: true, weight: true, filters },
  },
}

/** By these names, without the port, everyone reaches a program on their own machine. */
const LOCAL = new Set(['localhost', '127.0.0.1', '[::1]'])

/** An HTTPRoute: which rule takes a request. */
export class Route {
  readonly #hostnames: readonly string[]
  /** The most specific first. */
  readonly #matches: readonly Match[]

  /** @throws {Mistake} when the route has anything that would be ignored here */
  constructor({ metadata, spec }: Manifest & HTTPRoute) {
    const unknown = unknownFields(spec, known)
    const paths = spec.rules.flatMap(({ matches = [] }) => matches.flatMap(({ path }) => path ?? []))
    if (paths.some(({ type }) => type === undefined)) unknown.push('rules.matches.path without a type')
    if (spec.rules.some(({ backendRefs = [] }) => backendRefs.some(({ port }) => port === undefined)))
      unknown.push('rules.backendRefs without a port')
    if (unknown.length > 0) {
      throw new Mistake(`HTTPRoute ${metadata.name} has what the demo's gateway cannot do: ${unknown.join(', ')}`)
    }
    this.#hostnames = spec.hostnames ?? []
    const matches = spec.rules.flatMap((rule) => readRule(rule))
    this.#matches = matches.sort(
      (a, b) => Number(b.path !== undefined) - Number(a.path !== undefined) || b.headers.length - a.headers.length,
    )
  }

  /** Whether the route answers to this Host header; beside its own names to those of this machine. */
  answersTo(host: string | undefined): boolean {
    const name = host?.toLowerCase().replace(/:\d+$/, '') ?? 'localhost'
    if (LOCAL.has(name) || this.#hostnames.length === 0) return true
    return this.#hostnames.some((own) => (own.startsWith('*.') ? name.endsWith(own.slice(1)) : name === own))
  }

  /** The rule for a path, without its query, and headers. */
  rule(path: string, headers: IncomingHttpHeaders): Rule | undefined {
    return this.#matches.find(
      (match) => (match.path ?? path) === path && match.headers.every(([name, value]) => headers[name] === value),
    )?.rule
  }
}

function changesOf(filters: NonNullable<HTTPRoute['spec']['rules'][number]['filters']>): HeaderChanges {
  const modifiers = filters.flatMap(({ responseHeaderModifier }) => responseHeaderModifier ?? [])
  return {
    set: modifiers.flatMap(({ set = [] }) => set),
    add: modifiers.flatMap(({ add = [] }) => add),
    remove: modifiers.flatMap(({ remove = [] }) => remove),
  }
}

function readRule({ matches = [{}], filters = [], backendRefs = [] }: HTTPRoute['spec']['rules'][number]): Match[] {
  const rule = {
    backends: new Spread(
      backendRefs.map(({ name, port, weight = 1, filters = [] }) => ({
        service: name,
        port: port as number,
        weight,
        headerChanges: changesOf(filters),
      })),
    ),
    headerChanges: changesOf(filters),
  }
  return matches.map(({ path, headers = [] }) => ({
    path: path?.value,
    headers: headers.map(({ name, value }) => [name.toLowerCase(), value] as const),
    rule,
  }))
}
