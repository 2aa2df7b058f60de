import { join } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { WrongUse } from './errors.ts'
import { percent } from './format.ts'
import { devopsApi } from './sampling/devopsApi.ts'
import { metricsOf } from './sampling/metricsOf.ts'
import { type RoleFrom, roleFrom } from './sampling/roleFrom.ts'
import { MAX_SECONDS, MOST_REQUESTS } from './sampling/sample.ts'
import type { Target } from './sampling/versionClient.ts'
import { type VersionFrom, versionFrom } from './sampling/versionFrom.ts'
import { isPath, withPath } from './sampling/withPath.ts'
import { chartAnnotations, PREFIX } from './values/chartAnnotations.ts'
import { parseExpectation } from './verdict/expectation.ts'
import type { TrafficSettings } from './verdict/judgeTraffic.ts'
import type { Limits } from './verdict/plan.ts'

/** What an option's text means; the error says what is allowed. */
type Parser<T> = (text: string) => T

function refuse(allowed: string): never {
  throw new InvalidArgumentError(`It must be ${allowed}.`)
}

/** A whole number. */
export const wholeNumber =
  (least: number, most: number): Parser<number> =>
  (text) => {
    const number = Number(text)
    return /^\d+$/.test(text) && number >= least && number <= most ? number : refuse(`a whole number from ${least} to ${most}`)
  }

/** `1%` as 0.01. */
export const percentage =
  (least: number, most: number): Parser<number> =>
  (text) => {
    const [, number] = /^(\d+(?:\.\d+)?)\s?%$/.exec(text) ?? []
    const value = Number(number)
    return value >= least && value <= most ? value / 100 : refuse(`a percentage from ${least}% to ${most}%, such as 1%`)
  }

const unitsMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `500ms`, `30s`, `2m` or `1h` in milliseconds. */
export const duration =
  (least: string, most: string): Parser<number> =>
  (text) => {
    const ms = durationMs(text)
    return ms >= durationMs(least) && ms <= durationMs(most)
      ? ms
      : refuse(`a duration from ${least} to ${most}, such as 500ms, 30s or 2m`)
  }

function durationMs(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? []
  return Number(number) * (unitsMs[unit] ?? Number.NaN)
}

/** A parser whose errors say what is allowed. */
const asParser =
  <T>(parse: Parser<T>): Parser<T> =>
  (text) => {
    try {
      return parse(text)
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message)
    }
  }

/** `--expect`. */
export const expectation = asParser(parseExpectation)

/** `--path`. */
const path: Parser<string> = (text) => (isPath(text) ? text : refuse("a path that begins with one '/', such as /version"))

/** A URL to ask: one that names no path is asked at `--path`, any other as it is. */
export const endpoint: Parser<URL> = (text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    refuse('a URL such as http://127.0.0.1:8000, which is asked for /version, or one with a path')
  return url
}

// Those that make up the connection or the message are the HTTP client's, which decodes nothing.
const RESERVED = /^(accept-encoding|connection|content-length|expect|keep-alive|transfer-encoding|upgrade)$/i

function header(text: string, previous: Record<string, string>): Record<string, string> {
  const [, name = '', value = ''] = /^([\w!#$%&'*+.^`|~-]+):\s*([!-~](?:[ -~]*[!-~])?)\s*$/.exec(text) ?? []
  if (!name || RESERVED.test(name)) refuse("'name: value', with a name that is not the HTTP client's own")
  return { ...previous, [name.toLowerCase()]: value }
}

/** `--host`. */
export const hostName: Parser<string> = (text) => (/^[\w.:[\]-]+$/.test(text) ? text : refuse('a host name, perhaps with a port'))

/** `--canary-pods`. */
const regularExpression: Parser<RegExp> = (text) => {
  try {
    return new RegExp(text)
  } catch {
    return refuse("a regular expression, such as '-stable-6c9f'")
  }
}

/** What all commands take that ask an application. */
export interface ApplicationOptions {
  path: string
  versionFrom: VersionFrom
  roleFrom: RoleFrom
}

/** What all commands that ask for the version take. */
export interface AskingOptions extends ApplicationOptions {
  rate: number
  connections: number
  timeout: number
  header: Record<string, string>
  host?: string
  canaryPods?: RegExp
}

const rateOption = (rate: [number, string]) =>
  new Option('--rate <number>', 'requests a second on average, at most').argParser(wholeNumber(1, 10_000)).default(...rate)

const timeoutOption = () =>
  new Option('--timeout <duration>', 'when a request has failed')
    .argParser(duration('1ms', `${MAX_SECONDS}s`))
    .default(5000, '5s')

const headerOption = () =>
  new Option("--header <'name: value'>", 'a header to send; may be repeated').argParser(header).default({}, 'none')

/** Adds the options of `ApplicationOptions`. */
const addApplication = (command: Command): Command =>
  command
    .option('--path <path>', 'where the application says its version, of a URL that names no path', path, devopsApi.path)
    .addOption(
      new Option(
        '--version-from <source>',
        'where a reply says its version: json:/POINTER (RFC 6901), header:NAME, text (the whole body), or none',
      )
        .argParser(asParser(versionFrom))
        .default(versionFrom(devopsApi.versionFrom), devopsApi.versionFrom),
    )
    .addOption(
      new Option(
        '--role-from <source>',
        'where a reply says stable or canary: header:NAME, or version, which is then that of the image of each release',
      )
        .argParser(asParser(roleFrom))
        .default(roleFrom(devopsApi.roleFrom), devopsApi.roleFrom),
    )

/** Adds the argument URL and the options of `AskingOptions`. */
export function addAsking(command: Command, defaults: { rate: [number, string]; connections: number }): Command {
  return addApplication(addReleases(addChart(command)))
    .argument(
      '[URL]',
      'where the gateway listens, such as http://127.0.0.1:8000, which is asked for /version; one with a path is asked as it is; by default found on the cluster, with its host name; check then expects the split that the route has',
      endpoint,
    )
    .addOption(rateOption(defaults.rate))
    .option('--connections <number>', 'requests under way at a time, at most', wholeNumber(1, 1000), defaults.connections)
    .addOption(timeoutOption())
    .addOption(headerOption())
    .option('--host <name>', 'the Host header to send, so that any address will do as the URL', hostName)
    .option(
      '--canary-pods <pattern>',
      "a regular expression for the names of canary's pods, where another controller runs both versions in one role",
      regularExpression,
    )
}

/** What all commands that judge take. */
export interface LimitOptions extends Pick<Limits, 'tolerance' | 'maxErrorRate' | 'maxErrorIncrease'> {
  maxP95Increase: number
  detect?: number
}

const TOLERANCE = 0.05

/** Adds the options of `LimitOptions`. */
export function addLimits(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--tolerance <percentage>',
        'a share so far from the expected one must not pass; nor one by half of the smallest',
      )
        .argParser(percentage(0.1, 50))
        .default(TOLERANCE, '5%'),
    )
    .addOption(
      new Option('--max-error-rate <percentage>', 'of all requests that is allowed')
        .argParser(percentage(0.01, 100))
        .default(0.01, '1%'),
    )
    .addOption(
      new Option('--max-error-increase <percentage>', "canary's error rate over stable's that is allowed")
        .argParser(percentage(0, 100))
        .default(0.01, '1%'),
    )
    .option(
      '--detect <percentage>',
      "canary's error rate over stable's that must not pass, nor that of all requests over the allowed one; by default 2 points more than --max-error-increase",
      percentage(0.01, 100),
    )
    .addOption(
      new Option('--max-p95-increase <duration>', "canary's 95th percentile over stable's that is allowed")
        .argParser(duration('0ms', '60s'))
        .default(20, '20ms'),
    )
}

/** By how much more than what is allowed something is a fault, unless `--detect` says so. */
const DETECTED = 0.02

/**
 * What is allowed, and what must not pass.
 * @throws {WrongUse} where the same is both
 */
export function limitsOf(
  { tolerance, maxErrorRate, maxErrorIncrease, maxP95Increase, detect = maxErrorIncrease + DETECTED }: LimitOptions,
  strict = false,
): Limits {
  if (detect <= maxErrorIncrease)
    throw new WrongUse(
      `--detect ${percent(detect)} must be more than --max-error-increase ${percent(maxErrorIncrease)}: what is allowed cannot be a fault`,
    )
  return {
    tolerance: strict ? TOLERANCE : tolerance,
    maxErrorRate,
    maxErrorIncrease,
    detect,
    maxP95IncreaseMs: maxP95Increase,
    strict,
  }
}

/** Whom to ask. */
export function targetOf(
  url: URL,
  { path, header, host, connections, timeout, canaryPods, versionFrom, roleFrom }: AskingOptions,
): Target {
  const headers = { ...header, ...(host !== undefined && { host }) }
  return { url: withPath(url, path), headers, connections, timeoutMs: timeout, canaryPods, versionFrom, roleFrom }
}

/** What all commands take that judge real traffic. */
export interface TrafficOptions {
  prometheus?: URL
  prometheusQuery: string
  bake: number
}

/** Adds the options of `TrafficOptions`. */
export function addTraffic(command: Command, patience: string): Command {
  return command
    .hook('preAction', (_, asked) => {
      const lone = ['bake', 'prometheusQuery'].find((key) => asked.getOptionValueSource(key) === 'cli')
      if (lone && asked.getOptionValue('prometheus') === undefined)
        throw new WrongUse(
          `--${lone === 'bake' ? lone : 'prometheus-query'} needs --prometheus, the URL of the one that counts real traffic`,
        )
    })
    .option(
      '--prometheus <URL>',
      'judge real traffic, as this Prometheus counts it; user name and password may be in the URL',
      prometheusUrl,
    )
    .addOption(
      new Option(
        '--prometheus-query <series>',
        `whose metrics: ${Object.keys(metricsOf).join(', ')}, or a selector such as '{__name__=~"requests_total|ms_bucket"}', whose series name the release in a label, or have a label role, and have the HTTP status in one`,
      )
        .argParser(series)
        .default('service'),
    )
    .addOption(
      new Option('--bake <duration>', `how long real traffic is judged at least; ${patience}`)
        .argParser(duration('1s', '24h'))
        .default(300_000, '5m'),
    )
}

const prometheusUrl: Parser<URL> = (text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url && /^https?:$/.test(url.protocol) ? url : refuse('the URL of a Prometheus, such as http://127.0.0.1:9090')
}

const series: Parser<string> = (text) =>
  Object.hasOwn(metricsOf, text) || /^[\w:]*\{.*\}$/s.test(text)
    ? text
    : refuse(`${Object.keys(metricsOf).join(', ')}, or a selector of series in braces, such as '{job="shop"}'`)

/** Where real traffic is counted, and how long it is judged; undefined where it is not. */
export const trafficOf = ({ prometheus, prometheusQuery, bake }: TrafficOptions): TrafficSettings | undefined =>
  prometheus && { prometheus, selector: metricsOf[prometheusQuery] ?? prometheusQuery, bake }

/** Where the releases are. */
export interface ReleasesOptions {
  namespace?: string
  kubeContext?: string
}

/** Options that belong to an application rather than to a call, so that its chart may have them. */
const OF_CHART = [
  ...['path', 'version-from', 'role-from', 'tolerance', 'max-error-rate', 'max-error-increase', 'detect', 'max-p95-increase'],
  ...['steps', 'prometheus-query', 'bake'],
]

/**
 * Has a command take what its chart says, where the command line does not.
 * @throws {WrongUse} with one line, where an annotation is not known or its value is not allowed
 */
export async function takeFromChart(command: Command): Promise<void> {
  const { chart } = command.opts<{ chart?: string }>()
  const annotations = Object.entries(chart === undefined ? {} : await chartAnnotations(chart))
  for (const [name, value] of annotations) {
    const what = `annotation ${PREFIX}${name} in ${join(`${chart}`, 'Chart.yaml')}`
    if (!OF_CHART.includes(name)) throw new WrongUse(`${what} is not known: there are ${OF_CHART.join(', ')}`)
    const option = command.options.find(({ long }) => long === `--${name}`)
    const key = option?.attributeName() ?? ''
    if (!option?.parseArg || command.getOptionValueSource(key) === 'cli') continue
    try {
      command.setOptionValueWithSource(key, option.parseArg(value, undefined), 'config')
    } catch (error) {
      throw new WrongUse(`${what} is ${JSON.stringify(value)}: ${(error as Error).message}`)
    }
  }
}

/** What all commands take that compare or change files and the cluster. */
export interface PlaceOptions extends ReleasesOptions, ApplicationOptions {
  chart: string
  values: string[]
  url?: URL
  host?: string
  json?: true
}

/** What all commands take that move traffic. */
export interface MovingOptions extends PlaceOptions, LimitOptions, Pick<AskingOptions, 'rate' | 'timeout' | 'header'> {
  dryRun?: true
  filesOnly?: true
  patience: number
  requests?: number
  because?: string
}

const collect = (value: string, previous: string[]) => [...previous, value]

/** Adds the options of `ReleasesOptions`. */
export function addReleases(command: Command): Command {
  return command
    .option('-n, --namespace <name>', 'of both releases; by default the one that kubectl uses')
    .option('--kube-context <name>', 'which cluster; by default the one that kubectl uses')
}

/** Adds `--chart`. */
export const addChart = (command: Command): Command =>
  command.option('--chart <folder>', 'gives the releases their names, and has values-stable.yaml and values-canary.yaml', 'chart')

/** Adds the options of `PlaceOptions`. */
export function addPlace(command: Command): Command {
  const place = addChart(command).addOption(
    new Option(
      '--values <file>',
      'laid over values-stable.yaml whenever stable is upgraded, as when it was installed; may be repeated',
    )
      .argParser(collect)
      .default([], 'none'),
  )
  return addApplication(addReleases(place))
    .option('--url <URL>', "where the gateway listens; by default the Gateway's own address, with the route's hostname", endpoint)
    .addOption(new Option('--host <name>', 'the Host header to send to --url').argParser(hostName))
    .option('--json', 'print one JSON object at the end')
}

/** Adds the options of `MovingOptions`. */
export function addMoving(command: Command, patience: [number, string, string]): Command {
  const [ms, shown, meaning] = patience
  return addLimits(addPlace(command))
    .addOption(new Option('--patience <duration>', meaning).argParser(duration('1s', '1h')).default(ms, shown))
    .addOption(rateOption([Number.POSITIVE_INFINITY, 'as the connections allow']))
    .addOption(timeoutOption())
    .addOption(headerOption())
    .option(
      '--requests <number>',
      'the most requests of each sample; by default as many as it takes',
      wholeNumber(10, MOST_REQUESTS),
    )
    .option('--because <text>', 'the reason, for the history of the release')
    .option('--dry-run', 'show the edits, the commands and what they would change, and do nothing')
    .option('--files-only', 'edit the files and nothing else: Git, or the demo, applies them; --url then checks')
}
