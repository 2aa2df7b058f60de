import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

// Whatever ends the bench ends its servers.
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A server under measurement: a process of its own, on core 0. Linux only, because it reads /proc. */
export class Server {
  readonly port: number
  /** Milliseconds from the start to the first answer. */
  readonly bootMs: number
  readonly #process: ChildProcess

  private constructor(port: number, bootMs: number, process: ChildProcess) {
    this.port = port
    this.bootMs = bootMs
    this.#process = process
  }

  /** Starts `file` and waits for its first answer. */
  static async start(file: string, env: NodeJS.ProcessEnv): Promise<Server> {
    const port = await freePort()
    const started = performance.now()
    const child = spawn('taskset', ['--cpu-list', '0', process.execPath, resolve(import.meta.dirname, file)], {
      env: { ...process.env, ...env, HOST: '127.0.0.1', PORT: `${port}` },
      stdio: 'inherit',
    })
    running.add(child)
    child.once('exit', () => running.delete(child))
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`${file} ended with exit code ${child.exitCode}`)
      await sleep(0.5)
    }
    return new Server(port, performance.now() - started, child)
  }

  /** Seconds of CPU, all threads. */
  get cpuSeconds(): number {
    const threads = readdirSync(`/proc/${this.#process.pid}/task`)
    const nanoseconds = threads.map((id) =>
      Number(readFileSync(`/proc/${this.#process.pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]),
    )
    return nanoseconds.reduce((sum, ns) => sum + ns, 0) / 1e9
  }

  /** Resident memory. */
  get memoryMiB(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.#process.pid}/status`, 'utf8'))?.[1]) / 1024
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM')
    if (this.#process.exitCode === null) await once(this.#process, 'exit')
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}

function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1', () =>
    socket.write('GET /version HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n'),
  )
  return new Promise((settle) => {
    socket
      .on('error', () => settle(false))
      .on('data', () => {
        settle(true)
        socket.destroy()
      })
  })
}
