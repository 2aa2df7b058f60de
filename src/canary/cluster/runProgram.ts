import { execa } from 'execa'
import { Failure } from '../errors.ts'
import type { Ended } from '../output/terminal.ts'
import { findProgram, type ProgramName } from './findProgram.ts'

const homepages = {
  helm: 'https://helm.sh/docs/intro/install/',
  kubectl: 'https://kubernetes.io/docs/tasks/tools/',
}

/**
 * Runs Helm or kubectl as an operator would.
 * @throws {Failure} where it is not to be had
 */
export async function runProgram(name: ProgramName, args: string[], signal: AbortSignal): Promise<Ended> {
  const path = await findProgram(name)
  if (!path) throw new Failure(`${name} is not on the PATH: install it, ${homepages[name]}`)
  return execa(path, args, { cancelSignal: signal, reject: false, stdin: 'ignore' })
}
