import { Listr } from 'listr2'
import type { Terminal } from './terminal.ts'

/** What is known of a step once it is done; the text is for people. */
export interface Done {
  readonly step: string
  readonly result: string
  readonly seconds: number
}

/** Says more of a step while it goes on. */
type Say = (text: string) => void

/** Shows the steps of a command: live on a terminal, else a line when one begins, and another with what came of it. */
export class Progress {
  readonly done: Done[] = []
  readonly #stdout: NodeJS.WriteStream
  readonly #style: 'live' | 'plain' | 'silent'

  constructor({ stdout }: Terminal, style: 'shown' | 'silent') {
    this.#stdout = stdout
    this.#style = style === 'silent' ? style : stdout.isTTY && !process.env.CI ? 'live' : 'plain'
  }

  /** Does a step; what it is fulfilled with, is shown by `describe`. */
  async step<T>(step: string, act: (say: Say) => Promise<T>, describe: (value: T) => string = () => 'done'): Promise<T> {
    const startedAt = performance.now()
    const finish = (value: T) => {
      const result = describe(value)
      this.done.push({ step, result, seconds: (performance.now() - startedAt) / 1000 })
      return result
    }
    if (this.#style === 'live') return this.#live(step, act, finish)
    this.#line(step)
    const value = await act((text) => this.#line(`  ${text}`))
    this.#line(`  ${finish(value)}`)
    return value
  }

  /** Says something between two steps. */
  note(text: string): void {
    if (this.#style !== 'silent') this.#stdout.write(`${text}\n`)
  }

  #line(text: string): void {
    if (this.#style === 'plain') this.#stdout.write(`${text}\n`)
  }

  async #live<T>(step: string, act: (say: Say) => Promise<T>, finish: (value: T) => string): Promise<T> {
    let value: T | undefined
    await new Listr(
      [
        {
          title: step,
          task: async (_, task) => {
            value = await act((text) => {
              task.title = `${step}: ${text}`
            })
            task.title = `${step}: ${finish(value)}`
          },
        },
      ],
      // How a command ends is said once, by the command.
      { registerSignalListeners: false, rendererOptions: { showErrorMessage: false, collapseErrors: false } },
    ).run()
    return value as T
  }
}
