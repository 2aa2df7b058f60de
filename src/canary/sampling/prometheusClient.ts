import { request } from 'undici'
import { Failure, WrongUse } from '../errors.ts'
import { basicAuthorization } from './basicAuthorization.ts'
import { connectionErrors } from './connectionErrors.ts'
import { shownUrl } from './shownUrl.ts'

/** What Prometheus has of one series: its labels, and what was scraped, oldest first. */
export interface ScrapedSeries {
  readonly labels: Readonly<Record<string, string>>
  /** At seconds, by the clock of Prometheus. */
  readonly samples: readonly (readonly [at: number, value: number])[]
}

/** Prometheus does not answer, which may change. */
export class NoAnswer extends Failure {}

const TIMEOUT_MS = 10_000

interface Reply {
  status?: unknown
  error?: unknown
  data?: { result?: unknown } | null
}

interface Result {
  readonly metric: Readonly<Record<string, string>>
  readonly values?: readonly (readonly [at: number, value: string])[]
}

/** Asks a Prometheus, or what answers like one (https://prometheus.io/docs/prometheus/latest/querying/api/). */
export class PrometheusClient {
  /** Without user name and password. */
  readonly url: string
  readonly #query: URL
  readonly #headers: Record<string, string>
  readonly #signal: AbortSignal

  constructor(url: URL, signal: AbortSignal) {
    this.url = shownUrl(url).replace(/\/$/, '')
    this.#query = new URL(shownUrl(url))
    this.#query.pathname = `${url.pathname.replace(/\/$/, '')}/api/v1/query`
    this.#headers = { 'content-type': 'application/x-www-form-urlencoded', ...basicAuthorization(url) }
    this.#signal = signal
  }

  /**
   * What was scraped of the series in the last seconds.
   * @param selector of series, such as `http_requests_total{role="canary"}`
   * @throws {NoAnswer}
   * @throws {WrongUse} where Prometheus does not understand the selector
   */
  async scraped(selector: string, seconds: number): Promise<ScrapedSeries[]> {
    const results = await this.#ask(`${selector}[${Math.ceil(seconds)}s]`)
    return results.map(({ metric, values = [] }) => ({
      labels: metric,
      samples: values.map(([at, value]) => [at, Number(value)] as const),
    }))
  }

  /**
   * The labels of what cannot be scraped now.
   * @throws {NoAnswer}
   */
  async down(): Promise<Readonly<Record<string, string>>[]> {
    return (await this.#ask('up == 0')).map(({ metric }) => metric)
  }

  async #ask(query: string): Promise<readonly Result[]> {
    const deadline = AbortSignal.timeout(TIMEOUT_MS)
    let status: number
    let text: string
    try {
      const body = new URLSearchParams({ query }).toString()
      const signal = AbortSignal.any([this.#signal, deadline])
      const reply = await request(this.#query, { method: 'POST', headers: this.#headers, body, signal })
      status = reply.statusCode
      text = await reply.body.text()
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      const why = deadline.aborted ? `no answer within ${TIMEOUT_MS / 1000} s` : (connectionErrors[code ?? ''] ?? code ?? message)
      throw new NoAnswer(`Prometheus at ${this.url} cannot be asked (${why})`)
    }
    const reply = parsed(text)
    const result = reply?.status === 'success' ? reply.data?.result : undefined
    if (Array.isArray(result) && result.every(isResult)) return result
    const said = typeof reply?.error === 'string' ? `: ${oneLine(reply.error)}` : ''
    // https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview
    if (status === 400 && said) throw new WrongUse(`Prometheus refuses ${oneLine(query)}${said}`)
    throw new NoAnswer(
      status === 200
        ? `what is at ${this.url} does not answer as Prometheus does`
        : `Prometheus at ${this.url} answers ${status}${said}`,
    )
  }
}

function parsed(text: string): Reply | null | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isResult(result: unknown): result is Result {
  const { metric, values = [] } = (result ?? {}) as Partial<Record<keyof Result, unknown>>
  return (
    typeof metric === 'object' &&
    metric !== null &&
    Object.values(metric).every((label) => typeof label === 'string') &&
    Array.isArray(values) &&
    values.every((sample) => Array.isArray(sample) && typeof sample[0] === 'number' && typeof sample[1] === 'string')
  )
}

const oneLine = (text: string) => text.replaceAll(/[^ -~]+/g, ' ').slice(0, 300)
