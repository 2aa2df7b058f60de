import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'
import { styleText } from 'node:util'
import { HelmAndKubectl } from '../canary/cluster/helmAndKubectl.ts'
import { runProgram } from '../canary/cluster/runProgram.ts'
import { Failure, Interrupted, WrongUse } from '../canary/errors.ts'
import { auto } from './auto.ts'
import { ClusterRunner } from './clusterRunner.ts'
import { DemoRunner } from './demoRunner.ts'
import { interactive } from './interactive.ts'
import { judgeAnswer, judgeLesson } from './lessonState.ts'
import { lessons } from './lessons.ts'
import { clusterPlace, demoPlace } from './place.ts'
import { startOf } from './runner.ts'
import { Screen } from './screen.ts'
import { tourOptions } from './tourOptions.ts'
import { CHART, forgetFrom, noteProgress, prepare, readProgress, writeFiles } from './workFolder.ts'

/** Somebody who asks whether a lesson is done has saved some seconds ago. */
const PATIENCE_MS = 20_000

const { stdin, stdout, stderr } = process
const screen = new Screen(stdout)
const options = tourOptions(process.argv.slice(2))
const stop = new AbortController()
const { signal } = stop
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort())
const helm = new HelmAndKubectl({ ...options, chart: CHART }, { runProgram, signal })

try {
  process.exitCode = (await (options.check === undefined ? lead() : check(options.check))) ? 0 : 1
} catch (error) {
  if (error instanceof Interrupted) process.exitCode = 128 + constants.signals.SIGINT
  else if (error instanceof Failure || error instanceof WrongUse) {
    console.error(`tour: ${error.message}`)
    process.exitCode = 1
  } else throw error
}

/** Whether a lesson is done, on what another process runs. */
async function check(number: number): Promise<boolean> {
  if (!existsSync(CHART)) throw new WrongUse('there is no tour here: npm run tour begins one, in another terminal')
  const { url = 'http://localhost:8000', host } = readProgress()
  const place = host === undefined ? demoPlace(url) : clusterPlace(url, { host })
  if (options.answer !== undefined) screen.show(judgeAnswer(number, options.answer).text)
  const { isDone, text } = await judgeLesson(number, { place, helm, patienceMs: PATIENCE_MS, signal })
  screen.show(text)
  return isDone
}

async function lead(): Promise<boolean> {
  const { from, auto: isAuto, cluster } = options
  prepare()
  if (from !== undefined) forgetFrom(from)
  const { done, answered } = readProgress()
  const numbers = lessons.map((_, index) => index + 1)
  const next = numbers.find((number) => !done.includes(number) || !answered.includes(number)) ?? 1
  const first = from ?? (isAuto ? 1 : next)
  writeFiles(startOf(first))

  let print = (_line: string) => {}
  const runner = cluster ? new ClusterRunner(options, helm, signal) : new DemoRunner(helm, (line) => print(line))
  try {
    await runner.start()
    const { url, host } = runner.place
    noteProgress({ url, host })
    if (isAuto) return await auto(first, runner, { stdout, stderr, signal, runProgram })
    const input = createInterface({ input: stdin, output: stdout })
    signal.addEventListener('abort', () => input.close())
    input.on('SIGINT', () => stop.abort())
    let isOpen = true
    input.on('close', () => {
      isOpen = false
    })
    print = (line) => {
      stdout.write(`${stdout.isTTY ? '\r\u001b[K' : ''}${styleText('dim', `demo  ${line}`)}\n`)
      if (stdout.isTTY && isOpen) input.prompt(true)
    }
    await interactive(first, runner, input, screen, signal)
    input.close()
    return true
  } finally {
    await runner.end()
  }
}
