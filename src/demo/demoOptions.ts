import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { Mistake } from './mistake.ts'
import { parseArguments } from './parseArguments.ts'

export interface Options {
  /** The folder of the chart; as given, relative to where the user is. */
  chart: string
  /** Files laid over the values of canary, and of stable. */
  values: string[]
  stableValues: string[]
  /** What runs in each pod instead of this checkout's service. */
  run?: string
  verbose: boolean
  /** 0: any free one. */
  port: number
}

/**
 * What the user typed; help and wrong use end the process.
 * @param chart the one that is run by default
 * @throws {Mistake} when a file is missing or PORT is no port
 */
export function readOptions(argv: string[], { PORT = '8000' }: NodeJS.ProcessEnv, cwd: string, chart: string): Options {
  const command = new Command('npm run demo --')
    .description('Runs both releases of the chart on this machine, behind a gateway that splits requests as the chart says.')
    .option('--chart <folder>', 'a chart to run instead of the one of this checkout, such as an edited copy', chart)
    .option('--values <file...>', 'lays values files over those of canary')
    .option('--stable-values <file...>', 'lays values files over those of stable')
    .option(
      '--run <command>',
      'starts this in each pod, by a shell, with PORT and what the chart has in env, instead of our service',
    )
    .option('--verbose', 'shows everything that the pods log')
    .helpOption('--help', 'shows this')
    .addHelpText(
      'after',
      `
PORT is where the gateway listens, 8000 unless set; 0 takes any free port.
Every file of the chart can be edited while it runs: saving is what helm upgrade is on a cluster,
and to take values-canary.yaml away is what helm uninstall is.

Examples:
  npm run demo
  npm run demo -- --values chart/examples/bad-canary.yaml
  npm run demo -- --chart shop --run 'node server.js'
  PORT=9000 npm run demo`,
    )
  parseArguments(command, argv)

  const { values = [], stableValues = [], run, verbose = false, chart: folder = chart } = command.opts<Partial<Options>>()
  if (!existsSync(resolve(cwd, folder, 'Chart.yaml')))
    throw new Mistake(`there is no chart in ${folder}: it must be a folder with a Chart.yaml`)
  for (const file of [...values, ...stableValues]) {
    if (!statSync(resolve(cwd, file), { throwIfNoEntry: false })?.isFile()) throw new Mistake(`there is no file ${file}`)
  }
  if (run?.trim() === '') throw new Mistake("--run is empty: it must be a command, such as 'node server.js'")
  const port = Number(PORT)
  if (!/^\d+$/.test(PORT) || port > 65_535) throw new Mistake(`PORT is "${PORT}": it must be a whole number from 0 to 65535`)
  return { chart: folder, values, stableValues, ...(run !== undefined && { run }), verbose, port }
}
