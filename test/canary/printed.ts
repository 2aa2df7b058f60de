import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { run } from '../../src/canary/cli.ts'

/** What the CLI prints in this process, without a terminal. */
export async function printed(...argv: string[]): Promise<string> {
  const output = new PassThrough()
  const stdout = output as unknown as NodeJS.WriteStream
  await run(argv, { stdout, stderr: stdout, signal: new AbortController().signal })
  return text(output.end())
}
