import { constants } from 'node:os'
import { Command, CommanderError } from 'commander'
import { checkCommand } from './commands/check.ts'
import { promoteCommand } from './commands/promote.ts'
import { rollbackCommand } from './commands/rollback.ts'
import { shiftCommand } from './commands/shift.ts'
import { statusCommand } from './commands/status.ts'
import { watchCommand } from './commands/watch.ts'
import { Failure } from './failure.ts'
import { Interrupted } from './interrupted.ts'
import type { Terminal } from './terminal.ts'
import { WrongUse } from './wrongUse.ts'

// As sysexits.h has them.
const WRONG_USE = 64
const INTERNAL_ERROR = 70
const INTERRUPTED = 128 + constants.signals.SIGINT

// The first signal ends a command in order, the next one the process. The listener stays: a library that shows the cursor again at
// the end would take its absence for the wish to be killed.
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(128 + constants.signals[signal])
    stop.abort()
  })
}
// Whoever read the output, such as `head`, may have seen enough.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? undefined : INTERNAL_ERROR))

const terminal: Terminal = {
  stdout: process.stdout,
  signal: stop.signal,
  exitWith(code) {
    process.exitCode = code
  },
}

const program = new Command('canary')
  .description('Watch the split between stable and canary, judge it, and move it.')
  .helpCommand(false)
  .exitOverride()
  .configureOutput({
    outputError: (text, write) =>
      write(
        `canary: ${text
          .trim()
          .replace(/^error: /, '')
          .replaceAll(/\s*\n\s*/g, ' ')}\n`,
      ),
  })
  .addHelpText('after', '\nExit codes: 0 done or PASS, 1 FAIL, 2 INCONCLUSIVE, 64 wrong use, 130 interrupted.')
watchCommand(program, terminal)
checkCommand(program, terminal)
statusCommand(program, terminal)
shiftCommand(program, terminal)
promoteCommand(program, terminal)
rollbackCommand(program, terminal)

try {
  await program.parseAsync()
} catch (error) {
  // Commander has said already what is wrong; where it only showed the help it was asked for, nothing is.
  if (error instanceof CommanderError) process.exitCode = error.exitCode && WRONG_USE
  else {
    process.stderr.write(`canary: ${(error as Error).message}\n`)
    process.exitCode = exitCodeOf(error)
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof WrongUse) return WRONG_USE
  if (error instanceof Failure) return 1
  return error instanceof Interrupted ? INTERRUPTED : INTERNAL_ERROR
}
