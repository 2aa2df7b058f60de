import { constants } from 'node:os'
import { Command, CommanderError } from 'commander'
import { Failure, Interrupted, WrongUse } from './errors.ts'
import type { Terminal } from './output/terminal.ts'

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
}

/** Where a command reads and writes, and what ends it early. */
export interface Io {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: { write(text: string): unknown }
  /** Aborts when the user has had enough. */
  readonly signal: AbortSignal
}

/**
 * Runs one command of the CLI.
 * @param argv what was typed after the program's name
 * @returns the exit code; whatever goes wrong is said in one line on stderr
 */
export async function run(argv: string[], { stdout, stderr, signal }: Io): Promise<number> {
  let exitCode = 0
  const terminal: Terminal = {
    stdout,
    signal,
    exitWith(code) {
      exitCode = code
    },
  }
  const program = new Command('canary')
    .description('Watch the split between stable and canary, judge it, and move it.')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHasColors: () => stdout.isTTY,
      getOutHelpWidth: () => (stdout.isTTY ? stdout.columns : 80),
      outputError: (text, write) => write(`canary: ${oneLine(text.replace(/^error: /, ''))}\n`),
    })
    .addHelpText('after', '\nExit codes: 0 done or PASS, 1 FAIL, 2 INCONCLUSIVE, 64 wrong use, 130 interrupted.')
  const typed = commands[argv[0] ?? '']
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

const oneLine = (text: string) => text.trim().replaceAll(/\s*\n\s*/g, ' ')

function exitCodeOf(error: unknown): number {
  if (error instanceof WrongUse) return WRONG_USE
  if (error instanceof Failure) return 1
  return error instanceof Interrupted ? INTERRUPTED : INTERNAL_ERROR
}
