import { execa } from 'execa'
import { Failure } from '../errors.ts'
import { findProgram, type ProgramName } from './findProgram.ts'
import type { Ended } from './helmAndKubectl.ts'

/**
 * Runs Helm or kubectl as an operator would.
 * @throws {Failure} where it is not to be had, or cannot be started
 */
export async function runProgram(name: ProgramName, args: string[], signal: AbortSignal): Promise<Ended> {
  const path = await findProgram(name)
  const result = await execa(path, args, { cancelSignal: signal, reject: false, stdin: 'ignore' })
  const { code, syscall } = (result.cause ?? {}) as NodeJS.ErrnoException
  if (syscall?.startsWith('spawn'))
    throw new Failure(`${path} cannot be started (${code}): it must be ${name}, whole and for this machine`)
  return result
}
