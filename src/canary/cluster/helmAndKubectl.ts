import { Failure, Interrupted, ProgramRefusal } from '../errors.ts'
import type { Io } from '../output/terminal.ts'
import type { ProgramName } from './findProgram.ts'

/** Where the releases are; by default where Helm's variables say, else where kubectl would look. */
interface Place {
  readonly namespace?: string | undefined
  readonly kubeContext?: string | undefined
}

interface KubeConfig {
  readonly contexts?: readonly { readonly name: string; readonly context: { readonly namespace?: string } }[] | null
}

/** Helm and kubectl, as an operator would run them. */
export class HelmAndKubectl {
  readonly #place: Place
  readonly #io: Pick<Io, 'runProgram' | 'signal'>
  #resolved: Promise<Place> | undefined

  /** The signal ends what runs, in order. */
  constructor(place: Place, io: Pick<Io, 'runProgram' | 'signal'>) {
    this.#place = place
    this.#io = io
  }

  /** The arguments that say where, as Helm wants them. */
  async whereHelm(): Promise<string[]> {
    const { namespace, kubeContext } = await this.#where()
    return [...(namespace ? ['--namespace', namespace] : []), ...(kubeContext ? ['--kube-context', kubeContext] : [])]
  }

  /** Found out once, for both programs: what Helm alone would follow, or somebody changes meanwhile, must not part them. */
  #where(): Promise<Place> {
    this.#resolved ??= this.#resolve()
    return this.#resolved
  }

  async #resolve(): Promise<Place> {
    const { HELM_NAMESPACE, HELM_KUBECONTEXT } = process.env
    const namespace = this.#place.namespace ?? (HELM_NAMESPACE || undefined)
    const kubeContext = this.#place.kubeContext ?? (HELM_KUBECONTEXT || undefined)
    if (namespace && kubeContext) return { namespace, kubeContext }
    const args = ['config', 'view', '--minify', '--output', 'json', ...(kubeContext ? ['--context', kubeContext] : [])]
    try {
      const [current] = (JSON.parse(await this.#run('kubectl', args, args)) as KubeConfig).contexts ?? []
      return {
        namespace: namespace ?? (current && (current.context.namespace || 'default')),
        kubeContext: kubeContext ?? current?.name,
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      // Such as in a pod, where both programs find the same by themselves.
      return { namespace, kubeContext }
    }
  }

  async helm(...args: string[]): Promise<string> {
    return this.#run('helm', args, [...args, ...(await this.whereHelm())])
  }

  /** A namespace among the arguments comes last, and counts. */
  async kubectl(...args: string[]): Promise<string> {
    const { namespace, kubeContext } = await this.#where()
    const where = [...(namespace ? ['--namespace', namespace] : []), ...(kubeContext ? ['--context', kubeContext] : [])]
    return this.#run('kubectl', args, [...where, ...args])
  }

  async #run(name: ProgramName, said: string[], args: string[]): Promise<string> {
    const { runProgram, signal } = this.#io
    const result = await runProgram(name, args, signal)
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
