import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Demo, type DemoOptions, listProcesses, removeDemos, runDemo, startDemo } from './startDemo.ts'

afterAll(removeDemos)

interface Reply {
  status: number | undefined
  role: string
  version: string
  pod: string
  headers: IncomingMessage['headers']
}

/** Asks once; without an agent on a connection of its own. */
async function ask(url: string, { path = '/version', headers = {}, agent }: Asked = {}): Promise<Reply> {
  const call = request(url, { path, headers, agent: agent ?? false }).end()
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  await once(response.resume(), 'end')
  const { 'app-role': role, 'app-version': version, 'app-pod': pod } = response.headers
  return { status: response.statusCode, role: `${role}`, version: `${version}`, pod: `${pod}`, headers: response.headers }
}

interface Asked {
  path?: string
  headers?: Record<string, string>
  agent?: Agent
}

/** Asks again and again, ten at a time. */
async function sample(url: string, n: number, asked?: Asked): Promise<Reply[]> {
  const replies: Reply[] = []
  let left = n
  const askAll = async () => {
    while (left-- > 0) replies.push(await ask(url, asked))
  }
  await Promise.all(Array.from({ length: 10 }, askAll))
  return replies
}

/** Asks 200 times a second, half of them on new connections, until `stop` is called; that returns every answer and how often it came. */
function stream(url: string) {
  const agent = new Agent({ keepAlive: true })
  const replies: Promise<string>[] = []
  const seen = new Set<string>()
  const timer = setInterval(() => {
    for (const asked of [{ agent }, {}]) {
      const answer = ask(url, asked).then(
        ({ status, version }) => `${status} ${version}`,
        (error) => `${error.code}`,
      )
      answer.then((text) => seen.add(text))
      replies.push(answer)
    }
  }, 10)
  const stop = async () => {
    clearInterval(timer)
    const answers = await Promise.all(replies)
    agent.destroy()
    return count(answers)
  }
  return { stop, saw: (answer: string) => until(() => expect(seen).toContain(answer)) }
}

const count = (values: string[]) => {
  const counts: Record<string, number> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

const roleCounts = async (url: string, asked?: Asked) => count((await sample(url, 100, asked)).map(({ role }) => role))

/** Of those that get requests. */
const podNames = async (url: string) => [...new Set((await sample(url, 100)).map(({ pod }) => pod))].sort()

const until = (check: () => unknown) => vi.waitFor(check, { timeout: 120_000, interval: 50 })
const gone = (demo: Demo) => until(async () => expect(await demo.left()).toEqual([]))

const replace =
  (...pairs: [string, string][]) =>
  (text: string) =>
    pairs.reduce((changed, [from, to]) => changed.replace(from, to), text)
const append = (more: string) => (text: string) => `${text}${more}`

/** One pod for each release, where more would show nothing. */
const small: DemoOptions = {
  args: ['--values', 'small.yaml', '--stable-values', 'small.yaml'],
  files: { 'small.yaml': 'replicas: 1\n' },
}

const stableFile = 'chart/values-stable.yaml'
const canaryFile = 'chart/values-canary.yaml'

describe.concurrent('npm run demo', () => {
  it('serves both releases, split as the chart says, to this machine', async () => {
    const { url, lines } = await startDemo({ by: 'npm' })
    const { port } = new URL(url)
    expect(await roleCounts(url)).toEqual({ stable: 90, canary: 10 })
    expect(await podNames(url)).toEqual([
      ...Array(2).fill(expect.stringMatching(/^devops-api-canary-[b-z2-9]{9}-[b-z2-9]{5}$/)),
      ...Array(2).fill(expect.stringMatching(/^devops-api-stable-[b-z2-9]{9}-[b-z2-9]{5}$/)),
    ])
    for (const host of ['devops-api.devops-db.internal', `127.0.0.1:${port}`, 'localhost']) {
      expect((await ask(url, { headers: { host } })).status).toBe(200)
    }
    expect((await ask(url, { headers: { host: 'example.com' } })).status).toBe(404)
    expect((await ask(url, { path: '/metrics' })).status).toBe(404)
    expect((await ask(url, { path: '/version?a' })).status).toBe(200)

    const text = lines.join('\n')
    expect(text).toMatch(/^helm {7}rendered both releases in \d+ ms$/m)
    expect(text).toMatch(/^left out {3}objects: Gateway \(this program takes its place\), ServiceAccount$/m)
    expect(text).toMatch(/^ +fields: .*image \(this checkout runs instead\), .*resources\.requests, securityContext/m)
    for (const role of ['stable', 'canary']) expect(text).toMatch(new RegExp(`^${role} {5}2 of 2 ready after \\d+\\.\\d s$`, 'm'))
    // On a machine so busy that the pods take more than five seconds, it does not wait for all of them.
    expect(text).toMatch(/^ {2}(. of )?4 processes ready \d+ ms after the render; traffic 90\/10 \(stable\/canary\)$/m)
    expect(text).toContain(`  Open   http://localhost:${port}/\n  Ask    curl http://localhost:${port}/version\n`)
    expect(text).toContain('  Move   edit the weights in chart/values-stable.yaml and save\n  Stop   Ctrl-C\n')
    expect(text).not.toContain('\x1b')
  })

  it('gives the pods the environment of the chart, and nothing of the user', async () => {
    const { url, lines } = await startDemo({
      args: ['--stable-values', 'a.yaml', '--values', 'chart/examples/slow-canary.yaml', 'a.yaml'],
      files: { 'a.yaml': 'replicas: 1\nenv: {FAULT_ERROR_RATE: "1"}\n' },
      env: { DEVOPSAPI_VERSION: 'v9', FAULT_ERROR_STATUS: '599', LOG_LEVEL: 'debug' },
    })
    const replies = await sample(url, 100)
    expect(count(replies.map(({ status, role, version }) => `${status} ${role} ${version}`))).toEqual({
      '500 stable v1.1.1': 90,
      '500 canary v1.1.1-canary': 10,
    })
    expect(lines.join('\n')).not.toContain('listening')
  })

  it('takes files from where the user is', async () => {
    const { lines, url } = await startDemo({
      by: 'npm',
      args: ['--values', 'never-ready.yaml', '../../ready.yaml'],
      files: { 'ready.yaml': 'replicas: 1\nenv: {FAULT_READY_AFTER_MS: "0", DEVOPSAPI_VERSION: v3}\n' },
      cwd: 'chart/examples',
    })
    expect((await sample(url, 10)).map(({ version }) => version)).toContain('v3')
    expect(lines).toContain('  Move   edit the weights in ../values-stable.yaml and save')
  })

  it('shows all that pods log when asked to', async () => {
    const demo = await startDemo({ ...small, args: [...(small.args ?? []), '--verbose'] })
    const said = await demo.said(/^devops-api-canary-\w+-\w+ {2}listening /)
    expect(said).toMatch(/ listening version=v1\.1\.1-canary role=canary address=127\.0\.0\.1:\d+ node=v\S+ startMs=\d+$/)
    // The pods end in order, though no signal was sent to them.
    expect((await demo.interrupt()).stdout).toMatch(/ {2}devops-api-canary-\S+ {2}closing signal=SIGTERM$/m)
  })
})

describe('an edit', () => {
  let demo: Demo
  beforeAll(async () => {
    demo = await startDemo(small)
  })

  it('of a file that is laid over counts as well', async () => {
    const from = demo.edit('small.yaml', append('env: {A: "1"}\n'))
    await demo.said(/canary {5}1 of 1 ready/, from)
    await demo.said(/stable {5}1 of 1 ready/, from)
    expect(demo.lines.slice(from, from + 2)).toEqual(['stable     A – → 1: rolling 1 pod', 'canary     A – → 1: rolling 1 pod'])
  })

  it('that Helm refuses changes nothing, and says why', async () => {
    const before = await podNames(demo.url)
    const from = demo.edit(stableFile, replace(['90', 'ninety'], ['"1.1.1"', '"9"']))
    await demo.said(/as it was/, from)
    expect(demo.lines.slice(from)).toEqual([
      'mistake    Helm refuses stable:',
      `${' '.repeat(21)}- at '/traffic/stable': value must be 'a whole number from 0 to 1000000, without quotes'`,
      `${' '.repeat(21)}Everything goes on as it was.`,
    ])
    expect(await roleCounts(demo.url)).toEqual({ stable: 90, canary: 10 })
    const undone = demo.edit(stableFile, replace(['ninety', '90'], ['"9"', '"1.1.1"']))
    expect(await demo.said(/saved/, undone)).toBe(`saved      ${stableFile}: nothing changes`)
    expect(await podNames(demo.url)).toEqual(before)

    const template = demo.edit('chart/templates/httproute.yaml', replace(['matches:', 'timeouts: {request: 1s}\n      matches:']))
    await demo.said(/as it was/, template)
    expect(demo.lines[template]).toBe(
      "mistake    HTTPRoute devops-api-stable has what the demo's gateway cannot do: rules.timeouts",
    )
    const restored = demo.edit('chart/templates/httproute.yaml', replace(['timeouts: {request: 1s}\n      matches:', 'matches:']))
    await demo.said(/saved/, restored)
    expect(await roleCounts(demo.url)).toEqual({ stable: 90, canary: 10 })
  })

  it('that takes the values file of canary away uninstalls it, so that its share fails with 500', async () => {
    const path = join(demo.folder, canaryFile)
    const text = readFileSync(path, 'utf8')
    const from = demo.lines.length
    rmSync(path)
    expect(await demo.said(/^canary/, from)).toBe('canary     uninstalled: its values file is gone')
    const statuses = async () => count((await sample(demo.url, 100)).map(({ status }) => `${status}`))
    expect(await statuses()).toEqual({ 200: 90, 500: 10 })
    writeFileSync(path, text)
    expect(await demo.said(/^canary/, from + 1)).toBe('canary     installed: starting 1 pod')
    await demo.said(/^canary {5}1 of 1 ready/, from)
    expect(await statuses()).toEqual({ 200: 100 })
  })

  it('of the weights counts at once, and restarts nothing', async () => {
    const before = await podNames(demo.url)
    const from = demo.edit(stableFile, replace(['90', '50'], ['10', '50']))
    expect(await demo.said(/traffic/, from)).toBe('traffic    90/10 → 50/50')
    expect(await roleCounts(demo.url)).toEqual({ stable: 50, canary: 50 })
    expect(await podNames(demo.url)).toEqual(before)

    const preview = demo.edit(stableFile, replace(['  canary: 50', '  canary: 0\n  preview: true\n  announce: true']))
    await demo.said(/traffic/, preview)
    await demo.said(/announce/, preview)
    expect(demo.lines.slice(preview)).toEqual([
      'traffic    50/50 → 50/0',
      'preview    off → "x-canary: always" goes to devops-api-canary',
      'announce   off → replies say traffic-split',
    ])
    expect(await roleCounts(demo.url)).toEqual({ stable: 100 })
    expect(await roleCounts(demo.url, { headers: { 'x-canary': 'always' } })).toEqual({ canary: 100 })
    expect((await ask(demo.url)).headers).toMatchObject({ 'traffic-split': 'stable=50, canary=0' })

    const hostnames = demo.edit(stableFile, replace(['enabled: true', 'enabled: true\n  hostnames: ["*.example"]']))
    expect(await demo.said(/hostnames/, hostnames)).toBe('hostnames  devops-api.devops-db.internal → *.example')
    expect((await ask(demo.url, { headers: { host: 'a.example' } })).status).toBe(200)
    expect((await ask(demo.url, { headers: { host: 'devops-api.devops-db.internal' } })).status).toBe(404)
    expect(await podNames(demo.url)).toEqual(before.filter((name) => name.includes('stable')))
  })

  it('that takes the route away is said, and every request is a 404', async () => {
    const from = demo.edit(stableFile, replace(['enabled: true', 'enabled: false'], ['  preview: true\n  announce: true', '']))
    expect(await demo.said(/traffic/, from)).toBe('traffic    50/0 → no route')
    expect((await ask(demo.url, { headers: { host: 'a.example' } })).status).toBe(404)
  })
})

describe('a demo under way', () => {
  let demo: Demo
  beforeAll(async () => {
    demo = await startDemo()
  })

  it('replaces the pods with an edit of the version, and loses no request', async () => {
    const before = await podNames(demo.url)
    const { stop, saw } = stream(demo.url)
    await saw('200 v1.1.1-canary')
    const from = demo.edit(canaryFile, replace(['v1.1.1-canary', 'v1.1.2']))
    await demo.said(/2 of 2 ready/, from)
    await saw('200 v1.1.2')
    const back = demo.edit(stableFile, replace(['"1.1.1"', '"1.2.0"']))
    await demo.said(/2 of 2 ready/, back)
    await saw('200 v1.2.0')
    expect(Object.keys(await stop()).sort()).toEqual(['200 v1.1.1', '200 v1.1.1-canary', '200 v1.1.2', '200 v1.2.0'])
    expect(demo.lines.slice(from).filter((line) => !line.includes('not there yet'))).toEqual([
      'canary     version v1.1.1-canary → v1.1.2: rolling 2 pods',
      expect.stringMatching(/^canary {5}2 of 2 ready after \d+\.\d s$/),
      'stable     version v1.1.1 → v1.2.0, image devops-api:1.1.1 → devops-api:1.2.0: rolling 2 pods',
      expect.stringMatching(/^stable {5}2 of 2 ready after \d+\.\d s$/),
    ])
    // The old ones go on serving until every gateway could have noticed, and then end.
    await until(async () => expect(await demo.pods()).toHaveLength(4))
    const after = await podNames(demo.url)
    expect(after).toHaveLength(4)
    expect(after.filter((name) => before.includes(name))).toEqual([])
  })

  it('goes on with the old version where the new one never becomes ready, which an undone edit keeps', async () => {
    const before = await podNames(demo.url)
    const from = demo.edit(canaryFile, replace(['env:', 'env:\n  FAULT_READY_AFTER_MS: "-1"']))
    expect(await demo.said(/not there yet/, from)).toBe(
      'canary     not there yet, 0 of 2 ready after 5 s; 2 of the old ones go on serving',
    )
    expect(await podNames(demo.url)).toEqual(before)
    expect(await demo.pods()).toHaveLength(5)
    const undone = demo.edit(canaryFile, replace(['\n  FAULT_READY_AFTER_MS: "-1"', '']))
    await demo.said(/2 of 2 ready/, undone)
    expect(await podNames(demo.url)).toEqual(before)
  })

  it('says each time why a version cannot start, and tries less and less often', async () => {
    const before = await podNames(demo.url)
    const from = demo.edit(canaryFile, replace(['env:', 'env:\n  FAULT_ERROR_RATE: "2"']))
    await demo.said(/in 2 s/, from)
    const name = /devops-api-canary-\S+/.exec(demo.lines[from + 1] as string)?.[0]
    const why = `${name}  devops-api cannot start: FAULT_ERROR_RATE is "2": it must be a number from 0 to 1`
    const end = demo.lines.findIndex((line, index) => index > from && line.includes('in 2 s')) + 1
    expect(demo.lines.slice(from, end).filter((line) => !line.includes('not there yet'))).toEqual([
      'canary     FAULT_ERROR_RATE – → 2: rolling 2 pods',
      ...['at once', 'in 1 s (CrashLoopBackOff)', 'in 2 s (CrashLoopBackOff)'].flatMap((when) => [
        why,
        `${name}  ended with exit code 1, restarts ${when}`,
      ]),
    ])
    expect(await podNames(demo.url)).toEqual(before)
    const undone = demo.edit(canaryFile, replace(['\n  FAULT_ERROR_RATE: "2"', '']))
    await demo.said(/2 of 2 ready/, undone)
    // The one that waited to be started again is gone, or goes.
    await until(async () => expect(await demo.pods()).toHaveLength(4))
  })

  it('starts a pod again that is killed, while the others go on', async () => {
    const before = await podNames(demo.url)
    const [pid = 0] = await demo.pods()
    const from = demo.lines.length
    process.kill(pid, 'SIGKILL')
    await demo.said(/ready again/, from)
    const name = demo.lines[from]?.split(' ', 1)
    expect(demo.lines.slice(from)).toEqual([`${name}  ended by SIGKILL, restarts at once`, `${name}  ready again`])
    expect(await podNames(demo.url)).toEqual(before)
    expect(await demo.pods()).not.toContain(pid)
    expect(await demo.pods()).toHaveLength(4)
  })

  it('starts and stops just as many pods as an edit says', async () => {
    const before = await podNames(demo.url)
    const more = demo.edit(canaryFile, append('replicas: 3\n'))
    await demo.said(/3 of 3 ready/, more)
    expect(demo.lines[more]).toBe('canary     replicas 2 → 3')
    expect(await podNames(demo.url)).toEqual(expect.arrayContaining(before))
    expect(await podNames(demo.url)).toHaveLength(5)
    const fewer = demo.edit(canaryFile, replace(['replicas: 3', 'replicas: 0']))
    await demo.said(/0 of 0 ready/, fewer)
    expect(count((await sample(demo.url, 100)).map(({ status }) => `${status}`))).toEqual({ '200': 90, '503': 10 })
  })
})

describe.concurrent('a canary', () => {
  it('that is bad fails a fifth of its own requests', async () => {
    const { url } = await startDemo({
      args: ['--values', 'chart/examples/bad-canary.yaml', '--stable-values', 'a.yaml'],
      files: { 'a.yaml': 'replicas: 1\ntraffic: {stable: 0, canary: 1}\n' },
    })
    const replies = await sample(url, 1000)
    expect(Object.keys(count(replies.map(({ role, version }) => `${role} ${version}`)))).toEqual(['canary v1.1.1-canary'])
    const { 500: failed = 0, 200: succeeded = 0 } = count(replies.map(({ status }) => `${status}`))
    expect(failed + succeeded).toBe(1000)
    // Outside of these with a probability below 1e-9.
    expect(failed).toBeGreaterThan(110)
    expect(failed).toBeLessThan(290)
  })

  it('that never becomes ready does not hold up the start, and has its share refused', async () => {
    const demo = await startDemo({ args: ['--values', 'chart/examples/never-ready.yaml'], ready: 'some' })
    expect(demo.lines).toContain('canary     not there yet, 0 of 2 ready after 5 s')
    await demo.said(/^ {2}[0-2] of 4 processes ready \d+ ms after the render;/)
    await demo.said(/^stable {5}2 of 2 ready/)
    expect(count((await sample(demo.url, 100)).map(({ status, role }) => `${status} ${role}`))).toEqual({
      '200 stable': 90,
      '503 undefined': 10,
    })
    const from = demo.edit(canaryFile, replace(['v1.1.1-canary', 'v2\n  FAULT_READY_AFTER_MS: "0"']))
    rmSync(join(demo.folder, 'chart/examples/never-ready.yaml'))
    await demo.said(/no such file/, from)
    writeFileSync(join(demo.folder, 'chart/examples/never-ready.yaml'), '')
    await demo.said(/2 of 2 ready/, from)
    expect(await roleCounts(demo.url)).toEqual({ stable: 90, canary: 10 })
  })
})

describe.concurrent('a pod', () => {
  it('that hangs gets no requests, is restarted in the end, and then gets some again', async () => {
    // Far enough apart to come in this order on a busy machine, too.
    const probe = (failures: number) => `{periodSeconds: 1, timeoutSeconds: 1, failureThreshold: ${failures}}`
    const values = `probes: {readiness: ${probe(3)}, liveness: ${probe(9)}}\npreStopSleepSeconds: 2\n`
    const demo = await startDemo({
      args: ['--values', 'a.yaml', '--stable-values', 'a.yaml'],
      files: { 'a.yaml': values },
    })
    const before = await podNames(demo.url)
    const [pid = 0] = await demo.pods()
    const from = demo.lines.length
    process.kill(pid, 'SIGSTOP')
    const [name] = (await demo.said(/not ready/, from)).split(' ', 1)
    const replies = await sample(demo.url, 100)
    expect(replies.map(({ pod }) => pod)).not.toContain(name)
    await demo.said(/not alive/, from)
    // It gets the SIGTERM that has waited for it.
    process.kill(pid, 'SIGCONT')
    await demo.said(/ready again/, from)
    expect(demo.lines.slice(from).filter((line) => line.startsWith(`${name}`))).toEqual([
      `${name}  not ready, /readyz: no answer in 1 s`,
      `${name}  not alive, /livez: no answer in 1 s; it will be restarted`,
      `${name}  ended with exit code 0, restarts at once`,
      `${name}  ready again`,
    ])
    expect(await podNames(demo.url)).toEqual(before)
    expect(await demo.pods()).not.toContain(pid)
  })

  it('that is to be restarted gets no requests, even if it would answer', async () => {
    const template = readFileSync('chart/templates/deployment.yaml', 'utf8').replace('path: /livez', 'path: /nowhere')
    const values = `replicas: 1
probes: {liveness: {periodSeconds: 10, timeoutSeconds: 60, failureThreshold: 1}}
preStopSleepSeconds: 60
terminationGracePeriodSeconds: 90
`
    const demo = await startDemo({ ...small, files: { 'small.yaml': values, 'chart/templates/deployment.yaml': template } })
    for (const role of ['stable', 'canary']) {
      const line = await demo.said(new RegExp(`^devops-api-${role}-.*not alive`))
      expect(line).toMatch(/ {2}not alive, \/nowhere: .*; it will be restarted$/)
    }
    expect(count((await sample(demo.url, 20)).map(({ status }) => `${status}`))).toEqual({ 503: 20 })
  })
})

describe.concurrent('the end', () => {
  it.each(['node', 'npm'] as const)('comes with Ctrl-C, in good order, started by %s', async (by) => {
    const demo = await startDemo({ ...small, by })
    expect(await demo.pods()).toHaveLength(2)
    const { exitCode, signal, stdout, stderr } = await demo.interrupt()
    // Between npm and the demo may stand a shell, which dies of the signal.
    if (by === 'node') expect({ exitCode, signal }).toEqual({ exitCode: 0, signal: undefined })
    expect(stdout).toMatch(/\d\d:\d\d:\d\d {2}stopped {4}2 processes in \d+ ms$/)
    expect(stderr).toBe('')
    await gone(demo)
  })

  it('is not what Ctrl-C itself brings to the pods, but the demo', async () => {
    const demo = await startDemo(small)
    const pods = await demo.pods()
    const groups = (await listProcesses()).filter(({ pid }) => pods.includes(pid)).map(({ group }) => group)
    expect(groups).toHaveLength(2)
    expect(groups).not.toContain(demo.pid)
  })

  it.each(['SIGTERM', 'SIGHUP'] as const)('comes with %s', async (signal) => {
    const demo = await startDemo(small)
    expect(await demo.pods()).toHaveLength(2)
    expect(await demo.kill(signal)).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/stopped {4}2 processes/) })
    await gone(demo)
  })

  it('does not wait for old pods that go on serving', async () => {
    const files = { 'small.yaml': 'replicas: 1\npreStopSleepSeconds: 600\nterminationGracePeriodSeconds: 900\n' }
    const demo = await startDemo({ ...small, files })
    const from = demo.edit(canaryFile, replace(['v1.1.1-canary', 'v2']))
    await demo.said(/1 of 1 ready/, from)
    expect(await demo.pods()).toHaveLength(3)
    expect(await demo.interrupt()).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/stopped {4}3 processes/) })
    await gone(demo)
  })

  it('comes at once with a second Ctrl-C, even to a pod that hangs', async () => {
    const demo = await startDemo({ ...small, files: { 'small.yaml': 'replicas: 1\nterminationGracePeriodSeconds: 900\n' } })
    const pids = await demo.pods()
    process.kill(pids[0] as number, 'SIGSTOP')
    void demo.interrupt()
    await until(async () => expect(await demo.left()).toEqual([pids[0]]))
    await sleep(300) // npm's own signal would come sooner
    expect(await demo.interrupt()).toMatchObject({ exitCode: 130 })
    await gone(demo)
  })

  it('comes without a second one, too, to a pod that hangs, and puts no other in its place', async () => {
    const probe = '{periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 1}'
    const files = { 'small.yaml': `replicas: 1\nprobes: {readiness: ${probe}}\n` }
    const demo = await startDemo({ args: [...(small.args ?? []), '--verbose'], files })
    const [pid = 0] = await demo.pods()
    // A pod is ready a moment before it says that it listens.
    await until(() => expect(demo.lines.filter((line) => line.includes(' listening '))).toHaveLength(2))
    process.kill(pid, 'SIGSTOP')
    const { exitCode, stdout } = await demo.interrupt()
    expect(exitCode).toBe(0)
    expect(stdout.match(/ listening /g)).toHaveLength(2)
    await gone(demo)
  })

  it('comes once, where npm passes on the Ctrl-C of the terminal', async () => {
    const demo = await startDemo(small)
    const [pid = 0] = await demo.pods()
    process.kill(pid, 'SIGSTOP')
    // Two signals of a kind would become one, if the first is not taken yet.
    void demo.interrupt()
    expect(await demo.kill('SIGTERM')).toMatchObject({ exitCode: 0 })
  })

  it('comes during the start', async () => {
    const demo = runDemo(small)
    await until(async () => expect((await demo.pods()).length).toBeGreaterThan(0))
    expect(await demo.interrupt()).toMatchObject({ exitCode: 0 })
    await gone(demo)
  })

  it('leaves no process behind when the demo is killed', async () => {
    const demo = await startDemo(small)
    expect(await demo.pods()).toHaveLength(2)
    expect(await demo.kill('SIGKILL')).toMatchObject({ signal: 'SIGKILL' })
    await gone(demo)
  })

  it.each(['SIGKILL', 'SIGTERM'] as const)('comes when npm alone gets a %s', async (signal) => {
    const demo = await startDemo({ ...small, by: 'npm' })
    expect(await demo.pods()).toHaveLength(2)
    await demo.kill(signal)
    await gone(demo)
  })

  it('comes with an error that nobody expected', async () => {
    const bomb = 'data:text/javascript,process.once(`SIGUSR2`,()=>{throw%20Error(`boom`)})'
    const demo = await startDemo({ ...small, env: { NODE_OPTIONS: `--import=${bomb}` } })
    expect(await demo.pods()).toHaveLength(2)
    expect(await demo.kill('SIGUSR2')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('boom') })
    await gone(demo)
  })

  it('comes when nobody reads what it says any more', async () => {
    const demo = await startDemo(small)
    expect(await demo.pods()).toHaveLength(2)
    demo.hangUp()
    demo.edit(stableFile, replace(['90', '91']))
    expect(await demo.ended).toMatchObject({ exitCode: 0 })
    await gone(demo)
  })
})

describe.concurrent('a start is refused', () => {
  const refused = async (options: DemoOptions) => {
    const { exitCode, stdout, stderr } = await runDemo(options).ended
    return { exitCode, stdout, stderr }
  }
  const refusal = (reason: string) => ({ exitCode: 1, stdout: '', stderr: `the demo cannot start: ${reason}` })

  it('where the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    expect(await refused({ env: { PORT: `${port}` } })).toEqual(
      refusal(`port ${port} is taken by another program; choose another one: PORT=9000 npm run demo`),
    )
    other.close()
  })

  it('for a file that is none', async () => {
    expect(await refused({ args: ['--values', 'nothing.yaml'] })).toEqual(refusal('there is no file nothing.yaml'))
  })

  it('without Helm, where npm does not bring it', async () => {
    const elsewhere = `data:text/javascript,Object.defineProperty(process,'platform',{value:'sunos'})`
    expect(await refused({ env: { PATH: '', NODE_OPTIONS: `--import=${elsewhere}` } })).toEqual(
      refusal('helm is not on the PATH: install it, https://helm.sh/docs/intro/install/'),
    )
  })

  it('for wrong use', async () => {
    const stderr = "error: unknown option '--nothing'"
    expect(await refused({ args: ['--nothing'] })).toEqual({ exitCode: 64, stdout: '', stderr })
  })
})

it.concurrent('--help says what can be typed', async () => {
  const { exitCode, stdout } = await runDemo({ args: ['--help'] }).ended
  expect(exitCode).toBe(0)
  for (const text of [
    'npm run demo -- [options]',
    '--values <file...>',
    '--stable-values <file...>',
    '--verbose',
    'PORT=9000 npm run demo',
  ]) {
    expect(stdout).toContain(text)
  }
})
