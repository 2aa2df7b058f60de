import { randomInt } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { Pod, type PodEvents } from './pod.ts'
import { nextStep } from './rollout.ts'
import { SAFE_ALPHABET, type Workload } from './workload.ts'

/** Keeps as many pods of the wanted kind as are wanted, and replaces others as the strategy allows. */
export class Deployment {
  #wanted: Workload
  #pods: Pod[] = []
  #reached = Promise.withResolvers<boolean>()
  readonly #events: PodEvents

  /** Starts pods at once. */
  constructor(wanted: Workload, events: PodEvents) {
    this.#wanted = wanted
    this.#events = {
      ...events,
      readyChanged: (pod) => {
        events.readyChanged(pod)
        this.#reconcile()
      },
    }
    this.#reconcile()
  }

  /** All that is left of any pod, oldest first. */
  get pods(): readonly Pod[] {
    return this.#pods
  }

  get wanted(): Workload {
    return this.#wanted
  }

  /** How many pods of the wanted kind are ready. */
  get ready(): number {
    return this.#pods.filter((pod) => pod.ready && this.#isWanted(pod)).length
  }

  /** How many others are, and go on serving. */
  get readyOld(): number {
    return this.#pods.filter((pod) => pod.ready && !this.#isWanted(pod)).length
  }

  /** Asks for something else, or goes on where it is the same. */
  update(wanted: Workload): void {
    if (isDeepStrictEqual(wanted, this.#wanted)) return
    this.#reached.resolve(false)
    this.#reached = Promise.withResolvers()
    this.#wanted = wanted
    this.#reconcile()
  }

  /** Fulfilled with true when what is wanted now is there, all of it ready; with false when something else is wanted before that. */
  reached(): Promise<boolean> {
    return this.#reached.promise
  }

  /** Ends all pods at once, for good; those that take longer than `graceMs` are killed. */
  async stop(graceMs: number): Promise<void> {
    this.#reached.resolve(false)
    this.#wanted = { ...this.#wanted, replicas: 0 }
    for (const pod of this.#pods) pod.stop(0, graceMs)
    await Promise.all(this.#pods.map(({ gone }) => gone))
  }

  #isWanted({ template }: Pod): boolean {
    return template.hash === this.#wanted.template.hash
  }

  /** Looks only at what there is and what is wanted, so any event is a good reason to call it. */
  #reconcile(): void {
    for (;;) {
      const { start, stop } = nextStep(this.#wanted, this.#pods)
      if (start === 0 && stop.length === 0) break
      for (const pod of stop) pod.stop()
      for (let started = 0; started < start; started++) this.#start()
    }
    if (this.ready === this.#wanted.replicas) this.#reached.resolve(true)
  }

  #start(): void {
    const { name, template } = this.#wanted
    const suffix = Array.from({ length: 5 }, () => SAFE_ALPHABET[randomInt(SAFE_ALPHABET.length)]).join('')
    const pod = new Pod(`${name}-${template.hash}-${suffix}`, template, this.#events)
    this.#pods.push(pod)
    void pod.gone.then(() => {
      this.#pods = this.#pods.filter((other) => other !== pod)
    })
  }
}
