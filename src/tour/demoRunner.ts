import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Failure } from '../canary/errors.ts'
import type { Role } from '../canary/roles.ts'
import type { RunsHelm } from '../canary/values/valuesReader.ts'
import type { Files } from './lessonFiles.ts'
import { demoPlace, type Place } from './place.ts'
import type { Runner } from './runner.ts'
import { CHART, writeFiles } from './workFolder.ts'

const program = join(import.meta.dirname, '../demo/demo.ts')

/** The demo, in a process of its own, which ends with this one. */
export class DemoRunner implements Runner {
  readonly helm: RunsHelm
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  /** What it wrote, without the time in front. */
  readonly #lines: string[] = []
  #url = ''
  #look = () => {}

  /** @param onLine called with each line that it writes once it is ready */
  constructor(helm: RunsHelm, onLine: (line: string) => void) {
    this.helm = helm
    // The CLI takes files from the working folder, wherever npm was called; so is the demo to do.
    const { INIT_CWD: _, ...env } = process.env
    this.#child = spawn(process.execPath, [program, '--chart', CHART], { env, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
    this.#ended = once(this.#child, 'exit')
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.#lines.push(line.replace(/^\d\d:\d\d:\d\d {2}/, ''))
      if (this.#url) onLine(line)
      this.#look()
    })
  }

  /** @throws {Failure} where it could not start, of which it has said why */
  async start(): Promise<void> {
    await this.#until((lines) => lines.some((line) => line.startsWith('  Stop ')))
    const open = this.#lines.find((line) => line.startsWith('  Open ')) ?? ''
    this.#url = /http:\S+\w/.exec(open)?.[0] ?? ''
    if (this.#url === '') throw new Failure('the tour needs the demo: see above why it does not start')
  }

  get place(): Place {
    return demoPlace(this.#url)
  }

  async apply(files: Partial<Files>): Promise<void> {
    const from = this.#lines.length
    const changed = writeFiles(files)
    await this.#until((lines) => isSettled(lines.slice(from), changed))
  }

  async end(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    await this.#ended
  }

  /** Waits until the lines tell something, or there will be no more. */
  async #until(tells: (lines: readonly string[]) => boolean): Promise<void> {
    const told = new Promise<void>((resolve) => {
      this.#look = () => {
        if (tells(this.#lines)) resolve()
      }
      this.#look()
    })
    await Promise.race([told, this.#ended])
  }
}

/** Whether the demo has said something of each file that was saved, and, of pods that it replaces, how far it got. */
function isSettled(lines: readonly string[], changed: readonly Role[]): boolean {
  const subjects: Record<Role, RegExp> = { stable: /^(traffic|preview|stable) /, canary: /^canary / }
  if (lines.some((line) => /^(saved|mistake) /.test(line))) return true
  return changed.every((role) => {
    const rolls = lines.findIndex((line) => line.startsWith(`${role} `) && /: rolling | installed: /.test(line))
    if (rolls === -1) return lines.some((line) => subjects[role].test(line))
    return lines.slice(rolls).some((line) => line.startsWith(`${role} `) && /\d ready after|^\w+ +not there yet/.test(line))
  })
}
