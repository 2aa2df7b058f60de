import { type Command, Option } from 'commander'
import { WrongUse } from '../errors.ts'
import { whole } from '../format.ts'
import {
  type AskingOptions,
  addAsking,
  addLimits,
  addTraffic,
  expectation,
  type LimitOptions,
  limitsOf,
  type ReleasesOptions,
  type TrafficOptions,
  targetOf,
  trafficOf,
  wholeNumber,
} from '../options.ts'
import { checkOutput } from '../output/checkOutput.ts'
import { junitXml } from '../output/junitXml.ts'
import { markdownReport } from '../output/markdownReport.ts'
import { reportText } from '../output/reportText.ts'
import { columnsOf, painter, type Terminal } from '../output/terminal.ts'
import type { RoleFrom } from '../sampling/roleFrom.ts'
import type { Sample } from '../sampling/sample.ts'
import { exitCodes } from '../verdict/exitCodes.ts'
import type { Expectation } from '../verdict/expectation.ts'
import { MOST_MS } from '../verdict/plan.ts'
import { type Report, sampleAndJudge } from '../verdict/sampleAndJudge.ts'

interface Options extends AskingOptions, LimitOptions, ReleasesOptions, TrafficOptions {
  expect?: Expectation
  chart: string
  requests?: number
  conformance?: true
  json?: true
  junit?: string
  markdown?: string
}

// https://github.com/kubernetes-sigs/gateway-api/blob/v1.6.1/conformance/tests/httproute-weight.go; the rest of it are the defaults.
const CONFORMANCE_REQUESTS = 500

/** `check [URL]`: takes a sample and judges it. */
export function checkCommand(program: Command, terminal: Terminal): void {
  const command = addAsking(
    program
      .command('check')
      .description(
        'Ask until it can judge availability, split and canary health: PASS (exit code 0) or FAIL (1); INCONCLUSIVE (2) where asking does not help.',
      ),
    { rate: [Number.POSITIVE_INFINITY, 'as the connections allow'], connections: 10 },
  )
    .option(
      '--expect <shares>',
      '90/10, stable=90,canary=10 or v1=90,v2=10 (stable first, then canary); by default what the gateway announces, else what the values files declare, and without a URL what the route says',
      expectation,
    )
    .option('--requests <number>', 'the most requests; by default as many as it takes to judge', wholeNumber(1, 10_000_000))
    .addOption(
      new Option(
        '--conformance',
        "as Gateway API's conformance test: 500 requests, 10 at a time, ±5%, and chance is no excuse",
      ).conflicts(['requests', 'connections', 'tolerance']),
    )
  addTraffic(addLimits(command), `${MOST_MS / 1000} s longer where it was too little to tell`)
    .option('--json', 'print one JSON object')
    .option('--junit <file>', 'also write JUnit XML, with a test case for each gate')
    .option('--markdown <file>', 'also write the report in Markdown, such as for the summary of a job')
    .action((url: URL | undefined, options: Options) => {
      if (options.prometheus) refuseAsking(url, command)
      return run(url, options, terminal)
    })
}

/** What only says how to ask, so that with real traffic nothing would come of it. */
const ASKING = [
  ...['path', 'version-from', 'role-from', 'rate', 'connections', 'timeout', 'header', 'host', 'canary-pods', 'requests'],
  'conformance',
]

function refuseAsking(url: URL | undefined, command: Command): void {
  const given = command.options.filter(
    (option) => ASKING.includes(option.name()) && command.getOptionValueSource(option.attributeName()) === 'cli',
  )
  const without = [...(url ? ['the URL'] : []), ...given.map(({ long }) => long)]
  if (without.length > 0) throw new WrongUse(`--prometheus judges real traffic, and sends none: leave out ${without.join(', ')}`)
}

async function run(url: URL | undefined, options: Options, terminal: Terminal): Promise<void> {
  const { stdout, signal, exitWith } = terminal
  const { expect, chart, rate, json, junit, markdown, conformance = false } = options
  const progress = stdout.isTTY && !json ? (await import('log-update')).createLogUpdate(stdout) : undefined
  let shownAt = 0
  const show = (text: string) => {
    if (!progress || performance.now() - shownAt < 100) return
    shownAt = performance.now()
    progress(text)
  }
  const limits = limitsOf(options, conformance)
  const traffic = trafficOf(options)
  let report: Report
  if (traffic) {
    const { judgeTraffic, progressText, requirePrometheus } = await import('../verdict/judgeTraffic.ts')
    await requirePrometheus(traffic, signal)
    const onProgress = (elapsedMs: number, sample: Sample, trouble?: string) =>
      show(progressText(traffic.bake, elapsedMs, sample, trouble))
    const whose = await (await import('./onCluster.ts')).trafficOnCluster(options, expect, terminal)
    report = await judgeTraffic({ ...traffic, ...whose, limits, patience: MOST_MS, signal, onProgress })
  } else {
    const found = url
      ? { target: targetOf(url, options), expectation: () => declared(chart, options.roleFrom, terminal), mayHide: [] }
      : await (await import('./onCluster.ts')).onCluster(options, terminal)
    report = await sampleAndJudge({
      target: found.target,
      expectation: expect ?? found.expectation,
      orAnybody: !expect,
      limits,
      requests: conformance ? CONFORMANCE_REQUESTS : options.requests,
      rate,
      mayHide: found.mayHide,
      signal,
      onProgress: (done, usual) =>
        show(
          `${whole(done)} ${done > usual ? `requests, more than usual, for ${MOST_MS / 1000} s at most` : `of ${whole(usual)} requests, as a rule`}`,
        ),
    })
  }
  progress?.clear()
  progress?.done()
  stdout.write(json ? `${JSON.stringify(checkOutput(report))}\n` : reportText(report, columnsOf(stdout), painter(stdout)))
  if (junit) await save('--junit', junit, junitXml(report))
  if (markdown) await save('--markdown', markdown, markdownReport(report))
  exitWith(exitCodes[report.verdict])
}

/** What reads values files is loaded where they are read. */
async function declared(chart: string, roleFrom: RoleFrom, terminal: Terminal): Promise<Expectation> {
  const [{ HelmAndKubectl }, { ValuesReader }, { declaredSplit }] = await Promise.all([
    import('../cluster/helmAndKubectl.ts'),
    import('../values/valuesReader.ts'),
    import('../values/declaredSplit.ts'),
  ])
  return declaredSplit(new ValuesReader(new HelmAndKubectl({ chart }, terminal)), chart, [], roleFrom)
}

async function save(option: string, file: string, text: string): Promise<void> {
  const { default: writeFileAtomic } = await import('write-file-atomic')
  await writeFileAtomic(file, text).catch(({ code, message }: NodeJS.ErrnoException) => {
    throw new WrongUse(
      `cannot write ${option} ${file} (${code ?? message}): it must be a file in a folder that can be written to`,
    )
  })
}
