import { Failure, Interrupted, ProgramRefusal, Unreachable, WrongUse } from '../errors.ts'
import { type ReleaseNames, releaseName } from '../roles.ts'
import { chartName } from '../values/chartName.ts'
import { isJson } from '../values/isJson.ts'
import type { ProgramName } from './findProgram.ts'

/** How a program that was run ended, and what it wrote. */
export interface Ended {
  readonly stdout: string
  readonly stderr: string
  readonly failed: boolean
  /** In a few words how it failed, for one that wrote nothing of it. */
  readonly shortMessage?: string | undefined
}

/** How other programs are run, and what ends them. */
export interface RunsPrograms {
  /** Runs a program until it ends, or the signal ends it. */
  readonly runProgram: (name: ProgramName, args: string[], signal: AbortSignal) => Promise<Ended>
  /** Aborts when the user has had enough. */
  readonly signal: AbortSignal
}

/** Which releases, and where they are; by default where Helm's variables say, else where kubectl would look. */
interface Place extends Where {
  /** The folder of the chart that gives them their name. */
  readonly chart: string
}

interface Where {
  readonly namespace?: string | undefined
  readonly kubeContext?: string | undefined
}

interface KubeConfig {
  readonly contexts?: readonly { readonly name: string; readonly context: { readonly namespace?: string } }[] | null
}

const namesOf = (chart: string): ReleaseNames => ({ stable: releaseName(chart, 'stable'), canary: releaseName(chart, 'canary') })

/** Helm and kubectl, as an operator would run them. */
export class HelmAndKubectl {
  readonly #place: Place
  readonly #io: RunsPrograms
  #resolved: Promise<Where> | undefined
  #names: ReleaseNames | undefined

  /** The signal ends what runs, in order. */
  constructor(place: Place, io: RunsPrograms) {
    this.#place = place
    this.#io = io
  }

  /**
   * The releases of both roles.
   * @throws {WrongUse} where the chart does not say its name
   */
  get names(): ReleaseNames {
    this.#names ??= namesOf(chartName(this.#place.chart))
    return this.#names
  }

  /**
   * For an emergency in which the chart is not at hand: the only pair that is installed will do.
   * @throws {WrongUse} where the chart does not say its name, and there is no such pair, or several
   */
  async findNames(): Promise<void> {
    try {
      this.#names = this.names
    } catch (error) {
      const stables = ['list', '--filter', '-stable$', '--deployed', '--failed', '--pending', '--output', 'json']
      const installed = (JSON.parse(await this.helm(...stables)) as { name: string }[]).map(({ name }) => name)
      const [only] = installed
      if (!(error instanceof WrongUse) || only === undefined || installed.length > 1) throw error
      this.#names = namesOf(only.replace(/-stable$/, ''))
    }
  }

  /** Undefined where only the programs themselves know, such as in a pod. */
  async namespace(): Promise<string | undefined> {
    return (await this.#where()).namespace
  }

  /** The arguments that say where, as Helm wants them. */
  async whereHelm(): Promise<string[]> {
    const { namespace, kubeContext } = await this.#where()
    return [...(namespace ? ['--namespace', namespace] : []), ...(kubeContext ? ['--kube-context', kubeContext] : [])]
  }

  /** Found out once, for both programs: what Helm alone would follow, or somebody changes meanwhile, must not part them. */
  #where(): Promise<Where> {
    this.#resolved ??= this.#resolve()
    return this.#resolved
  }

  async #resolve(): Promise<Where> {
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
    return this.#run('kubectl', args, [...where, ...asHelm(process.env), ...args])
  }

  async #run(name: ProgramName, said: string[], args: string[]): Promise<string> {
    const { runProgram, signal } = this.#io
    const result = await runProgram(name, args, signal)
    if (signal.aborted) throw new Interrupted()
    const command = `${name} ${said.slice(0, 2).join(' ')}`
    if (result.failed) throw refusal(command, complaint(result.stderr) || `${result.shortMessage}`)
    const { stdout } = result
    if (said.includes('json') && !isJson(stdout))
      throw new Failure(
        `${command} has printed ${JSON.stringify(stdout.slice(0, 40))}, which is no JSON: the ${name} on the PATH must be ${name === 'helm' ? 'Helm' : name} itself`,
      )
    return stdout
  }
}

/** For kubectl, what else moves Helm alone; but for a token, which everybody on the machine could then read. */
function asHelm(env: NodeJS.ProcessEnv): string[] {
  const options: [option: string, value: string | undefined][] = [
    ['server', env.HELM_KUBEAPISERVER],
    ['certificate-authority', env.HELM_KUBECAFILE],
    ['tls-server-name', env.HELM_KUBETLS_SERVER_NAME],
    ['insecure-skip-tls-verify', env.HELM_KUBEINSECURE_SKIP_TLS_VERIFY],
    ['as', env.HELM_KUBEASUSER],
    ...(env.HELM_KUBEASGROUPS ?? '').split(',').map((group): [string, string] => ['as-group', group]),
  ]
  return options.flatMap(([option, value]) => (value ? [`--${option}=${value}`] : []))
}

/** The last error it wrote, on one line and without what it logs. */
function complaint(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() && !/^(level=|[EFIW]\d{4} )/.test(line))
  const at = lines.findLastIndex((line) => line.startsWith('Error: '))
  return lines
    .slice(Math.max(at, 0))
    .map((line) => line.trim())
    .join(' ')
    .replace(/^Error: /i, '')
}

/** With what would help where the cluster is in the way, in the words of Kubernetes's own client, which both programs use. */
function refusal(command: string, said: string): ProgramRefusal {
  const rights = [...said.matchAll(FORBIDDEN)]
  const [first] = rights
  if (first) {
    const [, user, , , , where = ''] = first
    const lacking = rights.map(([, , verb, resource, group]) => `${verb} ${resource}${group && `.${group}`}`).join(' and ')
    return new ProgramRefusal(command, `forbidden: user ${user} needs the right to ${lacking}${where}`)
  }
  const remedy = remedies.find(([pattern]) => pattern.test(said))?.[1]
  return remedy ? new Unreachable(command, `${said}; ${remedy}`) : new ProgramRefusal(command, said)
}

const FORBIDDEN =
  /User ("[^"]+") cannot (\w+) resource "([^"]+)" in API group "([^"]*)"( in the namespace "[^"]+"| at the cluster scope)?/g

const remedies: [RegExp, string][] = [
  [/provide credentials|Unauthorized/, 'log in to the cluster again'],
  [
    /cluster unreachable|Unable to connect|connection to the server|loading config file|context .* does not exist/i,
    'is the cluster up, and do KUBECONFIG and --kube-context say which?',
  ],
]
