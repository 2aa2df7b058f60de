import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { probe } from './probe.ts'
import type { PodTemplate, Probe } from './workload.ts'

const root = join(import.meta.dirname, '../..')
/** What the image runs. */
const server = 'src/service/server.ts'
// As URLs: a path of Windows would begin like one.
const preloads = { always: import.meta.resolve('./endWithParent.ts'), limited: import.meta.resolve('./reportMemory.ts') }

export const HOST = '127.0.0.1'
/** The kubelet, too, may ask a container that is not ready more often than its probe says. */
const UNREADY_PERIOD_MS = 75

/** What happens to a container, for those who look after it. */
export interface ContainerEvents {
  readyChanged(): void
  /** Something that people want to know. */
  said(text: string): void
  /** A line that the process wrote. */
  wrote(line: string): void
}

/** One run of the service, with the probes and the end that the template asks for. */
export class Container {
  readonly origin: string
  ready = false
  /** As in `performance.now()`, or infinite. */
  readySince = Number.POSITIVE_INFINITY
  /** Fulfilled when nothing is left of the process, with how it ended. */
  readonly ended: Promise<string>
  readonly #template: PodTemplate
  readonly #events: ContainerEvents
  readonly #child: ChildProcess
  readonly #over = new AbortController()
  #condemned = false
  #isOutOfMemory = false

  constructor(template: PodTemplate, podName: string, port: number, events: ContainerEvents) {
    this.#template = template
    this.#events = events
    this.origin = `http://${HOST}:${port}`
    this.#child = run(template, podName, port, events)
    this.ended = this.#untilEnd()
    if (template.readiness) void this.#watchReadiness(template.readiness)
    else setImmediate(() => this.#setReady(true))
    if (template.liveness) void this.#watchLiveness(template.liveness)
    this.#child.on('message', (resident) => {
      if (Number(resident) <= (template.memoryLimit ?? Number.POSITIVE_INFINITY)) return
      this.#isOutOfMemory = true
      this.kill()
    })
  }

  /** Asks it to end, as by SIGTERM, after `preStopMs`, and SIGKILL if it still runs `graceMs` from now. */
  end(preStopMs = this.#template.preStopMs, graceMs = this.#template.graceMs): void {
    // One that has ended already is told nothing.
    setTimeout(() => this.#child.send('SIGTERM', () => {}), preStopMs)
    setTimeout(() => this.kill(), graceMs)
  }

  /** With all that it has started. */
  kill(): void {
    const { pid, exitCode, signalCode } = this.#child
    if (pid === undefined || exitCode !== null || signalCode !== null) return
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  }

  async #untilEnd(): Promise<string> {
    try {
      const [code, signal] = await once(this.#child, 'close')
      if (this.#isOutOfMemory) return 'OOMKilled, as it took more memory than its limit'
      return signal ? `ended by ${signal}` : `ended with exit code ${code}`
    } catch (error) {
      return `cannot start: ${(error as Error).message}`
    } finally {
      this.#over.abort()
    }
  }

  #setReady(ready: boolean): void {
    if (ready === this.ready || (ready && this.#condemned)) return
    this.ready = ready
    if (ready) this.readySince = performance.now()
    this.#events.readyChanged()
  }

  async #watchReadiness(probe: Probe): Promise<void> {
    const period = () => (this.ready ? probe.periodMs : UNREADY_PERIOD_MS)
    for await (const { failures, reason } of this.#checks(probe, period)) {
      if (failures === 0) this.#setReady(true)
      if (failures < probe.failureThreshold || !this.ready) continue
      this.#events.said(`not ready, ${probe.path}: ${reason}`)
      this.#setReady(false)
    }
  }

  async #watchLiveness(probe: Probe): Promise<void> {
    await this.#pause(probe.periodMs)
    for await (const { failures, reason } of this.#checks(probe, () => probe.periodMs)) {
      if (failures < probe.failureThreshold) continue
      this.#events.said(`not alive, ${probe.path}: ${reason}; it will be restarted`)
      this.#condemned = true
      this.#setReady(false)
      this.end()
      return
    }
  }

  /** Asks again and again while the process runs, and counts failures in a row. */
  async *#checks({ path, timeoutMs }: Probe, periodMs: () => number) {
    for (let failures = 0; ; ) {
      const period = this.#pause(periodMs())
      const reason = await probe(`${this.origin}${path}`, timeoutMs)
      if (this.#over.signal.aborted) return
      failures = reason === undefined ? 0 : failures + 1
      yield { failures, reason }
      await period
    }
  }

  /** Ends early with the process. */
  #pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#over.signal }).catch(() => {})
  }
}

function run(
  { env, memoryLimit, command }: PodTemplate,
  podName: string,
  port: number,
  { wrote }: ContainerEvents,
): ChildProcess {
  const imports = [preloads.always, ...(memoryLimit === undefined ? [] : [preloads.limited])].flatMap((file) => [
    '--import',
    file,
  ])
  const program = command ? [join(import.meta.dirname, 'runCommand.ts'), command.line] : [server]
  const child = spawn(process.execPath, [...imports, ...program], {
    cwd: command?.cwd ?? root,
    env: {
      // A command of the user's needs what the user's shell has.
      ...(command && { ...process.env, IMAGE: command.image }),
      ...Object.fromEntries(env.map(({ name, value = podName }) => [name, value])),
      HOST,
      PORT: `${port}`,
      ...(!command && { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/devops-api') }),
    },
    // In a group of its own, so that the terminal's Ctrl-C leaves it to the demo to end it.
    detached: true,
    windowsHide: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  for (const input of [child.stdout, child.stderr]) if (input) createInterface({ input }).on('line', wrote)
  return child
}
