import { constants } from 'node:os'
import { Command, CommanderError } from 'commander'
import manifest from '../../package.json' with { type: 'json' }
import { Failure, Interrupted, WrongUse } from './errors.ts'
import type { Io, Terminal } from './output/terminal.ts'
import { shownUrl } from './sampling/shownUrl.ts'

// As sysexits.h has them.
const WRONG_USE = 64
const INTERNAL_ERROR = 70
const INTERRUPTED = 128 + constants.signals.SIGINT

type AddCommand = (program: Command, terminal: Terminal) => void

/** Loaded only where they are run or described: most of a start is the reading of modules. */
const commands: Record<string, () => Promise<AddCommand>> = {
  watch: async () => (await import('./commands/watch.ts')).watchCommand,
  check: async () => (await import('./commands/check.ts')).checkCommand,
  status: async () => (await import('./commands/status.ts')).statusCommand,
  shift: async () => (await import('./commands/shift.ts')).shiftCommand,
  promote: async () => (await import('./commands/promote.ts')).promoteCommand,
  rollback: async () => (await import('./commands/rollback.ts')).rollbackCommand,
  history: async () => (await import('./commands/history.ts')).historyCommand,
  init: async () => (await import('./commands/init.ts')).initCommand,
  completion: async () => (await import('./commands/completion.ts')).completionCommand,
}

/**
 * Runs one command of the CLI.
 * @param argv what was typed after the program's name
 * @returns the exit code; whatever goes wrong is said in one line on stderr
 */
export async function run(argv: string[], { stdout, stderr: stream, ...rest }: Io): Promise<number> {
  const stderr = { write: (text: string) => stream.write(withoutCredentials(text, argv)) }
  let exitCode = 0
  const terminal: Terminal = {
    stdout,
    stderr,
    ...rest,
    exitWith(code) {
      exitCode = code
    },
  }
  const program = new Command('canary')
    .description('Watch the split between stable and canary, judge it, and move it.')
    .version(manifest.version)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHasColors: () => stdout.isTTY,
      getOutHelpWidth: () => (stdout.isTTY ? stdout.columns : 80),
      outputError: (text, write) => write(`canary: ${oneLine(text.replace(/^error: /, ''))}\n`),
    })
    .hook('preAction', async (_, command) => {
      const { takeFromChart } = await import('./options.ts')
      await takeFromChart(command).catch((error: Error) => {
        // Nothing that is only for the check afterwards keeps traffic from going back.
        if (command.name() !== 'rollback') throw error
        stderr.write(`canary: ${error.message}; the rest of Chart.yaml is left aside\n`)
      })
    })
    .addHelpText('after', '\nExit codes: 0 done or PASS, 1 FAIL, 2 INCONCLUSIVE, 64 wrong use, 130 interrupted.')
  // A completion is about all of them.
  const typed = argv[0] === 'completion' ? undefined : commands[argv[0] ?? '']
  for (const load of typed ? [typed] : Object.values(commands)) (await load())(program, terminal)
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has said already what is wrong; where it only showed the help it was asked for, nothing is.
    if (error instanceof CommanderError) return error.exitCode && WRONG_USE
    stderr.write(`canary: ${(error as Error).message}\n`)
    return exitCodeOf(error)
  }
}

/** A text without the user names and passwords that URLs among the arguments have, even URLs that are not quite right. */
function withoutCredentials(text: string, argv: string[]): string {
  const found = argv.flatMap((argument) => {
    const [, credentials] = /^(?:--[a-z-]+=)?(?:[a-z]+:\/\/)?([^\s@]*:\S.*@)/i.exec(argument) ?? []
    return credentials === undefined || isPlainUrl(argument) ? [] : credentials
  })
  return found.reduce((rest, credentials) => rest.replaceAll(credentials, ''), text)
}

/** A URL may have colons and an @ elsewhere. */
const isPlainUrl = (text: string) =>
  /^https?:/i.test(text) && URL.canParse(text) && shownUrl(new URL(text)) === new URL(text).href

const oneLine = (text: string) => text.trim().replaceAll(/\s*\n\s*/g, ' ')

function exitCodeOf(error: unknown): number {
  if (error instanceof WrongUse) return WRONG_USE
  if (error instanceof Failure) return 1
  return error instanceof Interrupted ? INTERRUPTED : INTERNAL_ERROR
}
