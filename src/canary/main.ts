import { enableCompileCache } from 'node:module'
import { constants } from 'node:os'
import type { Io } from './output/terminal.ts'

// Halves the time of a start; the image brings a cache of its own.
enableCompileCache()
const { run } = await import('./cli.ts')

// As sysexits.h has it.
const INTERNAL_ERROR = 70

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

const { stdout, stderr } = process
/** Loaded with the first program that is run: most commands run none, or not at once. */
const runProgram: Io['runProgram'] = async (...call) => (await import('./cluster/runProgram.ts')).runProgram(...call)
process.exitCode = await run(process.argv.slice(2), { stdout, stderr, signal: stop.signal, runProgram })
