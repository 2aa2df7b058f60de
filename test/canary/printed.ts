import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { run } from '../../src/canary/cli.ts'

/** What comes of the CLI in this process, without a terminal. */
export async function ended(...argv: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const io = { stdout: stdout as unknown as NodeJS.WriteStream, stderr, signal: new AbortController().signal }
  const exitCode = await run(argv, io)
  return { exitCode, stdout: await text(stdout.end()), stderr: await text(stderr.end()) }
}

/** What the CLI prints in this process, without a terminal. */
export async function printed(...argv: string[]): Promise<string> {
  const { stdout, stderr } = await ended(...argv)
  return stdout + stderr
}
