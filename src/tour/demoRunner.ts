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
  /** How many lines there were before the last change. */
  #changedAt = 0
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

  async begin(files: Files): Promise<void> {
    writeFiles(files)
  }

  async apply(files: Partial<Files>, unready = false): Promise<void> {
    this.#changedAt = this.#lines.length
    const changed = writeFiles(files)
    await this.#until((lines) => isSettled(lines.slice(this.#changedAt), changed, unready))
  }

  async restarted(): Promise<string | undefined> {
    const isRestart = (text: string) => / restarts (at once|in )/.test(text)
    await this.#until((lines) => lines.slice(this.#changedAt).some(isRestart))
    return this.#lines.slice(this.#changedAt).find(isRestart)
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

/** What the demo says of a change, of each release. */
const changeOf: Record<Role, RegExp> = {
  stable: /^(traffic|preview|announce|hostnames|route) |^stable +(?!\d|not there)/,
  canary: /^canary +(?!\d|not there)/,
}

/** Whether the demo has said what changed by each file, and, of pods that it starts, that they are ready. */
function isSettled(lines: readonly string[], changed: readonly Role[], unready: boolean): boolean {
  return changed.every((role) => {
    const at = lines.findIndex((line) => changeOf[role].test(line))
    if (at === -1) return false
    const starts = /: rolling | installed: /.test(lines[at] ?? '')
    return !starts || unready || lines.slice(at).some((line) => new RegExp(`^${role} +\\d+ of \\d+ ready after`).test(line))
  })
}
