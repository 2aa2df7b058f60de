import { spawn } from 'node:child_process'
import { constants } from 'node:os'

// The process of a pod whose container is a command of the user's: it passes SIGTERM on, and ends as the command ends. Both are in one
// process group, with all that the command starts.
const child = spawn(process.argv[2] ?? '', { shell: true, stdio: ['ignore', 'pipe', 'pipe'] })
child.stdout.pipe(process.stdout)
child.stderr.pipe(process.stderr)
// When nobody writes any more: a shell may end before what it has started.
child.on('close', (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal as NodeJS.Signals]
})

let isEnding = false
process.on('SIGTERM', () => {
  if (isEnding) return
  isEnding = true
  if (process.platform === 'win32') child.kill()
  else process.kill(0, 'SIGTERM')
})
// The demo is gone.
process.on('exit', () => {
  if (!process.connected && process.platform !== 'win32') process.kill(0, 'SIGKILL')
})
