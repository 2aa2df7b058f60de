import type { Command } from 'commander'
import { type AskingOptions, addAsking, duration, expectation, type ReleasesOptions, targetOf } from '../options.ts'
import type { WatchOutput } from '../output/outputs.ts'
import { columnsOf, painter, type Terminal } from '../output/terminal.ts'
import type { Sample } from '../sampling/sample.ts'
import { sendRequests } from '../sampling/sendRequests.ts'
import { shownUrl } from '../sampling/shownUrl.ts'
import { VersionClient } from '../sampling/versionClient.ts'
import type { Expectation } from '../verdict/expectation.ts'
import { History } from '../watch/history.ts'
import { secondLine } from '../watch/secondLine.ts'
import { watchScreen } from '../watch/watchScreen.ts'

interface Options extends AskingOptions, ReleasesOptions {
  chart: string
  expect?: Expectation
  for?: number
  json?: true
}

const REDRAW_MS = 250

/** `watch [URL]`: shows what comes of a steady stream of requests, until it is interrupted. */
export function watchCommand(program: Command, terminal: Terminal): void {
  addAsking(
    program
      .command('watch')
      .description(
        'Ask steadily, and show who answers: live on a terminal, else a line a second. Ctrl-C ends it with a summary.',
      ),
    { rate: [20, '20'], connections: 100 },
  )
    .option(
      '--expect <shares>',
      'the split to show beside, 90/10, stable=90,canary=10 or v1=90,v2=10; by default what the gateway announces',
      expectation,
    )
    .option('--for <duration>', 'when to end; by default with Ctrl-C', duration('1s', '24h'))
    .option('--json', 'print one JSON object a line, with what came in that second and in all')
    .action((url: URL | undefined, options: Options) => run(url, options, terminal))
}

async function run(given: URL | undefined, options: Options, terminal: Terminal): Promise<void> {
  const { expect, rate, json, for: ms } = options
  const { stdout } = terminal
  // The route's weights of now are no expectation: they may move while this goes on.
  const target = given ? targetOf(given, options) : (await (await import('./onCluster.ts')).onCluster(options, terminal)).target
  const signal = ms === undefined ? terminal.signal : AbortSignal.any([terminal.signal, AbortSignal.timeout(ms)])
  const history = new History(expect)
  const started = performance.now()
  const seconds = () => (performance.now() - started) / 1000
  const screen = (shown: { sample: Sample; seconds: number }) =>
    watchScreen(shownUrl(target.url), history, shown, seconds(), columnsOf(stdout), painter(stdout))

  const live = stdout.isTTY && !json ? (await import('log-update')).createLogUpdate(stdout) : undefined
  const draw = () => live?.(`${screen(history.recent(performance.now()))}\nCtrl-C ends with a summary`)
  const redraw = () => {
    // A terminal that has folded the old lines anew no longer has them where they were drawn.
    stdout.write('\u001b[2J\u001b[H')
    live?.done()
    draw()
  }
  if (live) stdout.on('resize', redraw)
  const drawing = setInterval(draw, REDRAW_MS)

  const endSecond = () => {
    const second = history.endSecond()
    const at = new Date()
    if (json) stdout.write(`${JSON.stringify(watchOutput(at, seconds(), second, history.total))}\n`)
    else if (!live) stdout.write(`${secondLine(second, at)}\n`)
  }
  const ticking = setInterval(endSecond, 1000)

  const client = new VersionClient(target)
  await sendRequests(
    client,
    { requests: Number.POSITIVE_INFINITY, rate, onUnsent: () => history.addUnsent() },
    (outcome) => history.add(outcome, performance.now()),
    signal,
  )
  await client.close()

  clearInterval(drawing)
  clearInterval(ticking)
  stdout.off('resize', redraw)
  live?.clear()
  live?.done()
  if (json) endSecond()
  else stdout.write(screen({ sample: history.total, seconds: seconds() }))
  terminal.exitWith(0)
}

const watchOutput = (at: Date, seconds: number, second: Sample, total: Sample): WatchOutput => ({
  at: at.toISOString(),
  seconds,
  second: second.toJSON(),
  total: total.toJSON(),
})
