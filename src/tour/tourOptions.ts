import { Command, InvalidArgumentError } from 'commander'
import { addReleases, endpoint, hostName, wholeNumber } from '../canary/options.ts'
import { parseArguments } from '../demo/parseArguments.ts'
import { lessons } from './lessons.ts'

export interface TourOptions {
  from?: number
  check?: number
  answer?: string
  auto?: true
  cluster?: true
  namespace?: string
  kubeContext?: string
  url?: URL
  host?: string
}

/** What was typed; help and wrong use end the process. */
export function tourOptions(argv: string[]): TourOptions {
  const lesson = wholeNumber(1, lessons.length)
  const command = new Command('npm run tour --')
    .description(`A course of ${lessons.length} lessons on canaries, on the demo. Progress is kept in the folder tour.`)
    .option('--from <lesson>', 'where to begin; by default with the first that is not done', lesson)
    .option('--check <lesson>', 'say whether that lesson is done and its question answered: exit code 0, else 1', lesson)
    .option('--answer <letter>', 'with --check: the answer to its question', letter)
    .option('--auto', 'do every lesson by itself, and show what comes of it')
    .option('--cluster', 'on the cluster that kubectl uses, with helm, instead of the demo')
  addReleases(command)
    .option('--url <URL>', 'with --cluster: where the gateway listens; by default where its Gateway says', endpoint)
    .option('--host <name>', 'with --url: the Host header to send', hostName)
    .helpOption('--help', 'shows this')
  parseArguments(command, argv)
  return command.opts<TourOptions>()
}

function letter(text: string): string {
  if (/^[abc]$/.test(text)) return text
  throw new InvalidArgumentError('It must be a, b or c.')
}
