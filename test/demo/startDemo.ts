import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { expect, vi } from 'vitest'
import { roles } from '../../src/canary/roles.ts'

const root = join(import.meta.dirname, '../..')
const compileCache = join(root, 'node_modules/.cache/devops-api')

export interface DemoOptions {
  /** What is typed after `npm run demo --`. */
  args?: string[]
  /** Beside `PATH` and `PORT=0`. */
  env?: Record<string, string>
  /** Files to be there when it starts, by their path in its folder. */
  files?: Record<string, string>
  /** What runs: the program itself, or `npm run demo`. */
  by?: 'node' | 'npm'
  /** Where the user is, in the demo's folder. */
  cwd?: string
  /** Whether to wait for all pods, before it can be used. */
  ready?: 'all' | 'some'
}

/** How a process ended, and all that it wrote. */
export interface End {
  exitCode: number | undefined
  signal: string | undefined
  stdout: string
  stderr: string
}

/** A demo of a chart of its own, in a folder where it may be edited. */
export class Demo {
  /** Where the chart is, as "chart", and the files. */
  readonly folder = mkdtempSync(join(tmpdir(), 'devops-api-demo-'))
  /** Where the gateway listens, as in `http://localhost:8000`. */
  url = ''
  /** What it wrote to stdout, without the time in front. */
  readonly lines: string[] = []
  /** Of the process that was started: the demo itself, or npm. */
  readonly pid: number
  readonly ended: Promise<End>
  /** Reads its output no more, as `npm run demo | head` does in the end. */
  readonly hangUp: () => void
  readonly #seen = new Set<number>()

  constructor({ args = [], env = {}, files = {}, by = 'node', cwd = '.' }: DemoOptions) {
    cpSync(join(root, 'chart'), join(this.folder, 'chart'), { recursive: true })
    // So that no pod is called unready, or restarted, because the machine is busy.
    const values = join(this.folder, 'chart/values.yaml')
    writeFileSync(values, readFileSync(values, 'utf8').replaceAll(/timeoutSeconds: \d+/g, 'timeoutSeconds: 60'))
    for (const [path, text] of Object.entries(files)) writeFileSync(join(this.folder, path), text)

    const [program, before] =
      by === 'npm' ? ['npm', ['--prefix', root, 'run', 'demo', '--']] : [process.execPath, [join(root, 'src/demo/demo.ts')]]
    const chart = relative(join(this.folder, cwd), join(this.folder, 'chart'))
    const child = execa(program, [...before, '--chart', chart, ...args], {
      cwd: join(this.folder, cwd),
      env: { PATH: process.env.PATH, PORT: '0', NODE_COMPILE_CACHE: compileCache, ...env },
      extendEnv: false,
      reject: false,
      // In a group of its own, like a command in a terminal.
      detached: true,
    })
    this.pid = child.pid as number
    this.ended = child.then(({ exitCode, signal, stdout, stderr }) => ({ exitCode, signal, stdout, stderr }))
    this.hangUp = () => child.stdout.destroy()
    createInterface(child.stdout).on('line', (line) => this.lines.push(line.replace(/^\d\d:\d\d:\d\d {2}/, '')))
  }

  /** Waits for a line that matches, from the one of that index on. */
  said(pattern: RegExp, from = 0): Promise<string> {
    const find = () => {
      const lines = this.lines.slice(from)
      return lines.find((line) => pattern.test(line)) ?? expect.fail(`nothing like ${pattern} in\n${lines.join('\n')}`)
    }
    return vi.waitFor(find, { timeout: 120_000, interval: 10 })
  }

  /** Saves a change of a file in its folder, and returns the index of the first line that can be about it. */
  edit(path: string, change: (text: string) => string): number {
    const from = this.lines.length
    const file = join(this.folder, path)
    const text = readFileSync(file, 'utf8')
    expect(change(text), `the edit of ${path} changes nothing`).not.toBe(text)
    writeFileSync(file, change(text))
    return from
  }

  /** The processes of its pods. */
  async pods(): Promise<number[]> {
    const processes = await listProcesses()
    const below = (ancestor: number): number[] =>
      processes.flatMap(({ pid, parent, isPod }) => (parent === ancestor ? [...(isPod ? [pid] : []), ...below(pid)] : []))
    const pids = below(this.pid)
    for (const pid of pids) this.#seen.add(pid)
    return pids
  }

  /** Those that `pods` has ever returned and that are still there, whoever their parent is by now. */
  async left(): Promise<number[]> {
    return (await listProcesses()).map(({ pid }) => pid).filter((pid) => this.#seen.has(pid))
  }

  /** Ends it like Ctrl-C, whose signal reaches all that the terminal runs. */
  interrupt(): Promise<End> {
    process.kill(-this.pid, 'SIGINT')
    return this.ended
  }

  /** Sends a signal to the process that was started, and to no other. */
  kill(signal: NodeJS.Signals): Promise<End> {
    process.kill(this.pid, signal)
    return this.ended
  }
}

/** Without those that have ended and that only their parent still remembers. */
export async function listProcesses() {
  const lines = existsSync('/proc/self') ? readProc() : (await execa('ps', ['-A', '-o', 'pid=,stat=,ppid=,pgid=,args='])).stdout
  return lines.split('\n').flatMap((line) => {
    const [pid, state, parent, group, ...command] = line.trim().split(/ +/)
    if (state?.startsWith('Z')) return []
    const isPod = command.includes('src/service/server.ts')
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), isPod }]
  })
}

/** What `ps` would print, which is not on every Linux. */
function readProc(): string {
  const read = (pid: string) => {
    try {
      const [, state, parent, group] = /\) (\w) (\d+) (\d+) /s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
      return `${pid} ${state} ${parent} ${group} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`
    } catch {
      return [] // It has ended meanwhile.
    }
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(read)
    .join('\n')
}

const demos: Demo[] = []

/** Starts a demo that may refuse to start. */
export function runDemo(options: DemoOptions = {}): Demo {
  const demo = new Demo(options)
  demos.push(demo)
  return demo
}

/** Starts a demo, and waits until it can be used. */
export async function startDemo({ ready = 'all', ...options }: DemoOptions = {}): Promise<Demo> {
  const demo = runDemo(options)
  if (ready === 'all') await Promise.all(roles.map((role) => demo.said(new RegExp(`^${role} +(\\d+) of \\1 ready after`))))
  const line = await demo.said(/^ {2}Open /)
  demo.url = `${/http:\S+\d/.exec(line)}`
  return demo
}

/** For the end of a file: stops all demos that it started, and removes their folders. */
export async function removeDemos(): Promise<void> {
  for (const demo of demos) {
    try {
      await demo.interrupt()
    } catch {
      // It has ended before.
    }
    rmSync(demo.folder, { recursive: true })
  }
}
