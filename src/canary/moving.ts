import { type Command, Option } from 'commander'
import { addLimits, duration, endpoint, hostName, type LimitOptions } from './options.ts'

/** What all commands take that read or change the cluster. */
export interface PlaceOptions {
  chart: string
  values: string[]
  namespace?: string
  kubeContext?: string
  url?: URL
  host?: string
  json?: true
}

/** What all commands take that move traffic. */
export interface MovingOptions extends PlaceOptions, LimitOptions {
  dryRun?: true
  filesOnly?: true
  patience: number
}

const collect = (value: string, previous: string[]) => [...previous, value]

/** Adds the options of `PlaceOptions`. */
export function addPlace(command: Command): Command {
  return command
    .option('--chart <folder>', 'with values-stable.yaml and values-canary.yaml', 'chart')
    .addOption(
      new Option(
        '--values <file>',
        'laid over values-stable.yaml whenever stable is upgraded, as when it was installed; may be repeated',
      )
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--namespace <name>', 'of both releases; by default the one that kubectl uses')
    .option('--kube-context <name>', 'which cluster; by default the one that kubectl uses')
    .option('--url <URL>', "where the gateway listens; by default the Gateway's own address, with the route's hostname", endpoint)
    .addOption(new Option('--host <name>', 'the Host header to send to --url').argParser(hostName))
    .option('--json', 'print one JSON object at the end')
}

/** Adds the options of `MovingOptions`. */
export function addMoving(command: Command, patience: [number, string, string]): Command {
  const [ms, shown, meaning] = patience
  return addLimits(addPlace(command))
    .addOption(new Option('--patience <duration>', meaning).argParser(duration('1s', '1h')).default(ms, shown))
    .option('--dry-run', 'show the edits and the commands, and do nothing')
    .option('--files-only', 'edit the files and nothing else: Git, or the demo, applies them; --url then checks')
}
