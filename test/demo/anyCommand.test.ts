import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { type DemoOptions, removeDemos, runDemo, startDemo } from './startDemo.ts'

afterAll(removeDemos)

/** An application that answers with its version as text, whatever the path. */
const server = `require('node:http').createServer((request, response) => {
  const { DEVOPSAPI_VERSION, DEVOPSAPI_ROLE, IMAGE } = process.env
  response.writeHead(200, { 'x-pid': process.pid, 'x-image': IMAGE, 'app-role': DEVOPSAPI_ROLE }).end(DEVOPSAPI_VERSION + '\\n')
}).listen(process.env.PORT, process.env.HOST)`
const chart = readFileSync(join(import.meta.dirname, '../../chart/Chart.yaml'), 'utf8')
const options: DemoOptions = {
  args: ['--run', 'echo starting && node server.js'],
  files: { 'server.js': server, 'chart/Chart.yaml': `${chart}  canary.devops-api/version-from: text\n` },
}

const isThere = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Who answers, until each pod has. */
async function pids(url: string, pods: number): Promise<number[]> {
  const seen = new Set<number>()
  while (seen.size < pods) seen.add(Number((await fetch(`${url}/version`)).headers.get('x-pid')))
  return [...seen]
}

describe.concurrent('a command of the user', () => {
  it("runs in each pod with the pod's variables, behind the same gateway and page, and ends with the demo", async ({
    expect,
  }) => {
    const demo = await startDemo(options)
    expect(demo.lines.join('\n')).toContain('"echo starting && node server.js" runs instead')
    const origin = new URL(demo.url).origin
    expect(demo.lines.join('\n')).toContain(`${origin}/.canary/`)
    const reply = await fetch(`${origin}/version`)
    expect([await reply.text(), reply.headers.get('x-image')]).toEqual(['v1.1.1\n', 'devops-api:1.1.1'])
    const said = await fetch(`${origin}/.canary/version`)
    expect(await said.json()).toEqual({ version: 'v1.1.1' })
    expect(said.headers.get('app-role')).toBe('stable')
    expect(await (await fetch(`${origin}/.canary/`)).text()).toMatch(/^<!doctype html>/)
    const processes = await pids(origin, 4)
    expect((await demo.interrupt()).exitCode).toBe(0)
    await vi.waitFor(() => expect(processes.filter(isThere)).toEqual([]), { timeout: 120_000 })
  })

  it('does not outlive a demo that is killed', async ({ expect }) => {
    const demo = await startDemo(options)
    const processes = await pids(new URL(demo.url).origin, 4)
    await demo.kill('SIGKILL')
    await vi.waitFor(() => expect(processes.filter(isThere)).toEqual([]), { timeout: 120_000 })
  })

  it('that ends at once ends the demo, with what it wrote', async ({ expect }) => {
    const { exitCode, stdout, stderr } = await runDemo({ args: ['--run', 'echo no licence; exit 3'] }).ended
    expect(stdout).toContain('no licence')
    expect(stdout).toContain('ended with exit code 3')
    expect(stderr).toMatch(/^the demo cannot start: "echo no licence; exit 3" ends again and again.* It must listen at PORT/)
    expect(exitCode).toBe(1)
  })
})

it('An annotation that says what cannot be ends the demo, too', async () => {
  const files = { 'chart/Chart.yaml': `${chart}  canary.devops-api/version-from: body\n` }
  const { exitCode, stderr } = await runDemo({ ...options, files }).ended
  expect(stderr).toContain('Chart.yaml does not say how the application answers: It must be json:/POINTER')
  expect(exitCode).toBe(1)
})
