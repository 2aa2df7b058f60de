import { setTimeout as sleep } from 'node:timers/promises'
import getPort from 'get-port'
import { Container, HOST } from './container.ts'
import type { PodTemplate } from './workload.ts'

// A tenth of the kubelet's times: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
/** A container that was ready for so long is restarted without delay when it ends. */
const STEADY_MS = 60_000
const MAX_BACKOFF_MS = 30_000

/** What happens to a pod, for those who look after it. */
export interface PodEvents {
  /** It became ready or unready. */
  readyChanged(pod: Pod): void
  /** Something that people want to know. */
  said(pod: Pod, text: string): void
  /** A line that the process wrote. */
  wrote(pod: Pod, line: string): void
  /** Its process has ended by itself, so many times in a row. */
  failed(pod: Pod, failures: number): void
}

/** A container that is started again whenever it ends, for as long as the pod is wanted. */
export class Pod {
  readonly name: string
  readonly template: PodTemplate
  stopping = false
  /** Fulfilled when nothing is left of it. */
  readonly gone: Promise<void>
  readonly #events: PodEvents
  readonly #stopped = new AbortController()
  #container: Container | undefined
  #wasReady = false

  constructor(name: string, template: PodTemplate, events: PodEvents) {
    this.name = name
    this.template = template
    this.#events = events
    this.gone = this.#live()
  }

  /** Whether it should get requests. */
  get ready(): boolean {
    return !this.stopping && this.#container?.ready === true
  }

  /** Where it listens; elsewhere after every restart. */
  get origin(): string {
    return this.#container?.origin ?? ''
  }

  /** Takes the pod out of service at once, and ends it as its template says, or sooner. */
  stop(preStopMs?: number, graceMs?: number): void {
    this.stopping = true
    this.#stopped.abort()
    this.#container?.end(preStopMs, graceMs)
  }

  kill(): void {
    this.#container?.kill()
  }

  #readyChanged(): void {
    if (this.ready && this.#wasReady) this.#events.said(this, 'ready again')
    this.#wasReady ||= this.ready
    this.#events.readyChanged(this)
  }

  async #live(): Promise<void> {
    let failures = 0
    while (!this.stopping) {
      const port = await getPort({ host: HOST })
      if (this.stopping) break
      const container = new Container(this.template, this.name, port, {
        readyChanged: () => this.#readyChanged(),
        said: (text) => this.#events.said(this, text),
        wrote: (line) => this.#events.wrote(this, line),
      })
      this.#container = container
      const end = await container.ended
      this.#container = undefined
      if (this.stopping) break

      failures = performance.now() - container.readySince > STEADY_MS ? 1 : failures + 1
      const delayMs = backoffMs(failures)
      this.#events.said(this, `${end}, restarts ${delayMs === 0 ? 'at once' : `in ${delayMs / 1000} s (CrashLoopBackOff)`}`)
      this.#readyChanged()
      this.#events.failed(this, failures)
      await sleep(delayMs, undefined, { signal: this.#stopped.signal }).catch(() => {})
    }
  }
}

/** 0 the first time, then 1 s, 2 s, 4 s and so on. */
const backoffMs = (failures: number) => (failures === 1 ? 0 : Math.min(1000 * 2 ** (failures - 2), MAX_BACKOFF_MS))
