import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import * as cli from '../../src/canary/cli.ts'
import { runProgram as realRunProgram } from '../../src/canary/cluster/runProgram.ts'
import type { Io } from '../../src/canary/output/terminal.ts'

export type RunProgram = Io['runProgram']

/** Whether the real Helm does it, as it needs no cluster. */
export const needsNoCluster = (name: string, [command = '']: string[]): boolean =>
  name === 'helm' && ['template', 'show'].includes(command)

/** All that is at a path, links followed; the text itself, where it is none. */
function contentOf(path: string): unknown {
  if (!existsSync(path)) return path
  if (statSync(path).isFile()) return readFileSync(path, 'latin1')
  return readdirSync(path).map((name) => [name, contentOf(join(path, name))])
}

const rendered = new Map<string, ReturnType<RunProgram>>()

/** The real Helm, which is started once for the same content: most of what tests cost is its start. */
const helm: RunProgram = async (name, args, signal) => {
  const key = JSON.stringify(args.map(contentOf))
  const known = await rendered.get(key)
  // A complaint names paths, and what is drawn at random must differ.
  if (known && !known.failed && !key.includes('randAlphaNum')) return known
  rendered.set(key, realRunProgram(name, args, signal))
  return rendered.get(key) as ReturnType<RunProgram>
}

/** The real Helm for what needs no cluster, and a cluster that does not answer. */
export const withoutCluster: RunProgram = (name, args, signal) =>
  needsNoCluster(name, args)
    ? helm(name, args, signal)
    : Promise.resolve({ stdout: '', stderr: 'Error: Kubernetes cluster unreachable', failed: true })

/**
 * What comes of the CLI in this process, without a terminal.
 * @param line what is typed, or the arguments, where one has a space
 */
export async function run(line: string | string[], runProgram = withoutCluster) {
  const argv = typeof line === 'string' ? line.split(' ').filter(Boolean) : line
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const written = Promise.all([text(stdout), text(stderr)])
  const io = { stdout: stdout as unknown as NodeJS.WriteStream, stderr, signal: new AbortController().signal, runProgram }
  const exitCode = await cli.run(argv, io)
  stdout.end()
  stderr.end()
  const [said, complained] = await written
  return { exitCode, stdout: said.trimEnd(), stderr: complained.trimEnd() }
}

/** What the CLI prints in this process, without a terminal. */
export async function printed(...argv: string[]): Promise<string> {
  const { stdout, stderr } = await run(argv)
  return stdout + stderr
}
