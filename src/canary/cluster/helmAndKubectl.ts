import { execa } from 'execa'
import { Failure, Interrupted, ProgramRefusal } from '../errors.ts'
import { findProgram, type ProgramName } from './findProgram.ts'

/** Where the releases are; by default where kubectl would look. */
interface Place {
  readonly namespace?: string
  readonly kubeContext?: string
}

const homepages = {
  helm: 'https://helm.sh/docs/intro/install/',
  kubectl: 'https://kubernetes.io/docs/tasks/tools/',
}

/** Helm and kubectl, as an operator would run them. */
export class HelmAndKubectl {
  readonly #place: Place
  readonly #signal: AbortSignal

  /** @param signal ends what runs, in order */
  constructor(place: Place, signal: AbortSignal) {
    this.#place = place
    this.#signal = signal
  }

  /** The arguments that say where, as Helm wants them. */
  get whereHelm(): string[] {
    const { namespace, kubeContext } = this.#place
    return [...(namespace ? ['--namespace', namespace] : []), ...(kubeContext ? ['--kube-context', kubeContext] : [])]
  }

  get #whereKubectl(): string[] {
    const { namespace, kubeContext } = this.#place
    return [...(namespace ? ['--namespace', namespace] : []), ...(kubeContext ? ['--context', kubeContext] : [])]
  }

  helm(...args: string[]): Promise<string> {
    return this.#run('helm', args, [...args, ...this.whereHelm])
  }

  /** A namespace among the arguments comes last, and counts. */
  kubectl(...args: string[]): Promise<string> {
    return this.#run('kubectl', args, [...this.#whereKubectl, ...args])
  }

  async #run(name: ProgramName, said: string[], args: string[]): Promise<string> {
    const signal = this.#signal
    const path = await findProgram(name)
    if (!path) throw new Failure(`${name} is not on the PATH: install it, ${homepages[name]}`)
    const result = await execa(path, args, { cancelSignal: signal, reject: false, stdin: 'ignore' })
    if (signal.aborted) throw new Interrupted()
    if (result.failed)
      throw new ProgramRefusal(`${name} ${said.slice(0, 2).join(' ')}`, complaint(result.stderr) || `${result.shortMessage}`)
    return result.stdout
  }
}

/** The last error it wrote, on one line and without what it logs. */
function complaint(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() && !/^(level=|[EFIW]\d{4} )/.test(line))
  const at = lines.findLastIndex((line) => line.startsWith('Error: '))
  return lines
    .slice(Math.max(at, 0))
    .map((line) => line.trim())
    .join(' ')
    .replace(/^Error: /, '')
}
