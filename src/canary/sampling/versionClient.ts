import { Client } from 'undici'
import { basicAuthorization } from './basicAuthorization.ts'
import { clean } from './clean.ts'
import { connectionErrors } from './connectionErrors.ts'
import { devopsApi } from './devopsApi.ts'
import { type RoleFrom, roleFrom } from './roleFrom.ts'
import type { Outcome } from './sample.ts'
import { type VersionFrom, versionFrom } from './versionFrom.ts'

/** Whom to ask, and how. */
export interface Target {
  /** Asked as it is. Its user name and password are sent, and are for nobody else to see: `shownUrl` is without them. */
  readonly url: URL
  /** By name; `host` and `authorization` replace what the URL says. */
  readonly headers: Readonly<Record<string, string>>
  /** The most requests at a time. */
  readonly connections: number
  /** Whether each request has a connection of its own, where others are kept alive. */
  readonly areFresh?: boolean
  readonly timeoutMs: number
  /** By default as in devops-api. */
  readonly versionFrom?: VersionFrom
  /** By default as in devops-api. */
  readonly roleFrom?: RoleFrom
  /** Matches the names of canary's pods, where the role that a reply states does not tell: all others are then stable's. */
  readonly canaryPods?: RegExp | undefined
}

/** More than any version takes; the rest of a larger reply is not read. */
const MOST_BYTES = 65_536

/**
 * Asks a service for its version, as often as wanted. A redirect is not followed, nothing is tried again, and no proxy is asked instead,
 * whatever HTTP_PROXY and NODE_USE_ENV_PROXY say: one in between has connections and errors of its own.
 */
export class VersionClient {
  readonly target: Target
  readonly #clients: Client[]
  /** Numbers of those that nobody uses. */
  readonly #free: number[]
  readonly #headers: Readonly<Record<string, string>>
  readonly #version: VersionFrom
  readonly #role: RoleFrom

  constructor(target: Target) {
    this.target = target
    this.#version = target.versionFrom ?? versionFrom(devopsApi.versionFrom)
    this.#role = target.roleFrom ?? roleFrom(devopsApi.roleFrom)
    const { url, headers, connections, timeoutMs } = target
    // Without this header, a server may choose any coding.
    this.#headers = { 'accept-encoding': 'identity', ...basicAuthorization(url), ...headers }
    // With HTTPS, the certificate must be for the name in the host header, whatever the address. Time is kept for the whole request, below.
    const options = { allowH2: false, connectTimeout: timeoutMs, headersTimeout: 0, bodyTimeout: 0 }
    // More than are used at a time, so that which one is next is left to chance: turns would fall in step with a gateway's.
    const number = 2 * connections
    this.#clients = Array.from({ length: number }, () => new Client(url.origin, options))
    this.#free = [...this.#clients.keys()]
  }

  /** Asks once; no more than `connections` at a time. Never rejects: whatever goes wrong is the outcome. */
  async ask(): Promise<Outcome> {
    const since = performance.now()
    const { url, timeoutMs, areFresh = false } = this.target
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(), timeoutMs)
    const connection = this.#take()
    let who: Outcome = {}
    try {
      const reply = await (this.#clients[connection] as Client).request({
        path: url.pathname + url.search,
        method: 'GET',
        headers: this.#headers,
        signal: deadline.signal,
        reset: areFresh,
      })
      who = this.#who(reply.headers)
      const text = await read(reply.body)
      const microseconds = (performance.now() - since) * 1000
      return {
        ...who,
        ...this.#understand(who, reply.statusCode, reply.headers, text),
        microseconds,
        ...(!areFresh && { connection }),
      }
    } catch (error) {
      // Who began a reply is to blame for its end.
      if (deadline.signal.aborted) return { ...who, error: 'timeout' }
      const { code, message } = error as NodeJS.ErrnoException
      if (/CERT|ERR_TLS|UNABLE_TO_/.test(code ?? '')) return { error: `certificate refused (${clean(`${code}`)})` }
      return { ...who, error: connectionErrors[code ?? ''] ?? `other (${clean(code ?? message)})` }
    } finally {
      clearTimeout(timer)
      this.#free.push(connection)
    }
  }

  /** Who answers, as far as headers tell. */
  #who(headers: Headers): Outcome {
    const { canaryPods } = this.target
    const pod = header(headers, 'app-pod')
    const role =
      canaryPods && pod !== undefined ? (canaryPods.test(pod) ? 'canary' : 'stable') : header(headers, this.#role.header)
    return { version: header(headers, this.#version.header), role, pod, announced: header(headers, 'traffic-split') }
  }

  #understand({ version: inHeader, role }: Outcome, status: number, headers: Headers, text: string) {
    const { inBody, header: ofVersion } = this.#version
    const isGood = status >= 200 && status < 300
    const version = isGood && inBody ? said(inBody(text)) : inHeader
    const isUnsaid = version === undefined && ofVersion !== undefined
    const location = header(headers, 'location')
    const coding = header(headers, 'content-encoding') ?? 'identity'
    let error: string | undefined
    if (isGood && isUnsaid && coding !== 'identity') error = `${status} in ${coding}, which nobody asked for`
    else if (status >= 300 && status < 400) error = location ? `${status} to ${location}` : `${status}`
    else if (isUnsaid || (!isGood && version === undefined && role === undefined)) error = `${status} without a version`
    else if (!isGood) error = `${status}`
    return { version, error }
  }

  #take(): number {
    const index = Math.floor(Math.random() * this.#free.length)
    const taken = this.#free[index]
    if (taken === undefined) throw new Error(`more than ${this.#clients.length} requests at a time`)
    this.#free[index] = this.#free.at(-1) as number
    this.#free.pop()
    return taken
  }

  /** Closes the connections; what is under way fails. */
  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.destroy()))
  }
}

async function read(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    length += chunk.length
    if (length > MOST_BYTES) break
  }
  return Buffer.concat(chunks).toString()
}

type Headers = Record<string, string | string[] | undefined>

function header(headers: Headers, name: string | undefined): string | undefined {
  const value = name === undefined ? undefined : headers[name]
  return typeof value === 'string' ? said(value) : undefined
}

const said = (text: string | undefined) => (text ? clean(text) : undefined)
