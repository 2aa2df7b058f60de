import { type Command, CommanderError } from 'commander'

const WRONG_USE = 64 // EX_USAGE in sysexits.h

/** Has a command take what was typed; help and wrong use end the process. */
export function parseArguments(command: Command, argv: string[]): void {
  try {
    command.exitOverride().parse(argv, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : WRONG_USE)
    throw error
  }
}
