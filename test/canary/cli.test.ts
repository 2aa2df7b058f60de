import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { execa } from 'execa'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { gateway } from './fakeService.ts'
import { fewRequests } from './fewRequests.ts'
import * as inProcess from './inProcess.ts'
import { parseOutput } from './parseOutput.ts'

const root = join(import.meta.dirname, '../..')
const main = join(root, 'src/canary/main.ts')
const { PATH } = process.env

const children: { kill(signal: 'SIGKILL'): boolean }[] = []
const folders: string[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** On a busy machine a reply may take long, which is for other tests. */
const patient = (line: string) => (line.startsWith('check ') && !line.includes('--timeout') ? `${line} --timeout 60s` : line)

/** The real thing, in a process of its own, with the arguments of a line. */
function start(line: string, { cwd = root, env = {} }: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  const options = { cwd, env: { PATH, ...env }, extendEnv: false, reject: false, forceKillAfterDelay: false } as const
  const child = execa(process.execPath, [main, ...patient(line).split(' ').filter(Boolean)], options)
  children.push(child)
  return child
}

/** The same in this process, which starts none. */
const run = (line: string | string[]) => inProcess.run(typeof line === 'string' ? patient(line) : line)

/** The same on a terminal, so wide. `script` is its other end. */
function startOnTerminal(line: string, columns: number, env: NodeJS.ProcessEnv = {}) {
  const command = `stty cols ${columns} rows 40; exec ${process.execPath} ${main} ${patient(line)}`
  const options = {
    cwd: root,
    env: { PATH, TERM: 'xterm', ...env },
    extendEnv: false,
    reject: false,
    forceKillAfterDelay: false,
  } as const
  const child = execa('script', ['-qefc', command, '/dev/null'], options)
  children.push(child)
  return child
}

const temporary = () => {
  const folder = mkdtempSync(join(tmpdir(), 'canary-cli-'))
  folders.push(folder)
  return folder
}

/** With which what is drawn is taken back. */
const lineUp = '\u001b[1A'

// Latency is for other tests: on a busy machine canary may well seem to be slower.
const expected = '--expect v1.1.1=90,v1.1.1-canary=10 --max-p95-increase 60s'

describe.concurrent('check', () => {
  it('passes with exit code 0', async ({ expect }) => {
    const { url } = await gateway()
    const { exitCode, stdout, stderr } = await run(`check ${url} ${expected}`)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+\/version: [\d,]+ requests in \d+\.\d s\nexpected: v1\.1\.1 90 %, v1\.1\.1-canary 10 %\n/,
    )
    expect(stdout).toMatch(
      /PASS split\n {2}v1\.1\.1-canary answered \d+ of [\d,]+ requests \([\d.]+ %\), expected 10 % ± 5 points\n/,
    )
    expect(stdout.split('\n').at(-1)).toBe('PASS')
    expect(stdout).not.toContain('\u001b')
  })

  it('fails with exit code 1', async ({ expect }) => {
    const { url } = await gateway({ canaryErrorsEvery: 5 })
    const { exitCode, stdout } = await start(`check ${url} ${expected}`)
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(
      /FAIL canary health\n {2}canary failed \d+ of \d+ \([\d.]+ %\), stable 0 of \d+ \(0 %\), allowed: 1 point more\n/,
    )
    expect(stdout).toMatch(/ {2}\d+ × 500\n/)
  })

  it('is inconclusive with exit code 2', async ({ expect }) => {
    const { url } = await gateway()
    const { exitCode, stdout } = await start(`check ${url} ${expected} --requests 20`)
    expect(exitCode).toBe(2)
    expect(stdout).toMatch(/^http:\S+: 20 requests in /)
    expect(stdout).toContain('INCONCLUSIVE split\n')
  })

  it('asks a gateway that keeps connections on a connection for each request, and says so', async ({ expect }) => {
    const { url, asked } = await gateway({ keepsConnections: true })
    const { exitCode, stdout } = await run(`check ${url} ${expected} --json`)
    const { connections, sample, verdict } = parseOutput('check', stdout)
    expect([exitCode, verdict, connections]).toEqual([0, 'PASS', 'one for each request'])
    // What came before is thrown away.
    expect(asked.length).toBeGreaterThan(sample.requests)
  })

  it('names the missing Service', async ({ expect }) => {
    const { url } = await gateway({ insteadOfCanary: (_, response) => void response.writeHead(500).end() })
    const { exitCode, stdout } = await run(`check ${url} --expect stable=90,canary=10`)
    expect(exitCode).toBe(1)
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('which never answered: the Service is missing (canary)')
  })

  it('is inconclusive where nobody listens', async ({ expect }) => {
    const { exitCode, stdout } = await run('check http://127.0.0.1:1 --expect v1=1')
    expect(exitCode).toBe(2)
    expect(stdout).toContain('nobody answered with a version, but 65 × connection refused')
  })

  it('prints one JSON object', async ({ expect }) => {
    const { url, asked } = await gateway({ announces: true })
    const { exitCode, stdout } = await run(`check ${url}/version --json ${fewRequests}`)
    expect(exitCode).toBe(0)
    expect(parseOutput('check', stdout)).toEqual({
      from: 'own requests',
      url: `${url}/version`,
      expectation: [
        { version: null, role: 'stable', share: 0.9 },
        { version: null, role: 'canary', share: 0.1 },
      ],
      expectationFrom: 'the gateway',
      sample: {
        // The first reply is asked for what it announces.
        requests: asked.length - 1,
        unsent: 0,
        sources: expect.arrayContaining([expect.objectContaining({ version: 'v1.1.1', role: 'stable' })]),
        failures: {},
        announced: { 'stable=90, canary=10': asked.length },
      },
      connections: 'kept',
      seconds: expect.any(Number),
      mayHide: [],
      verdict: 'PASS',
      gates: ['availability', 'split', 'canary health'].map((name) => ({ name, verdict: 'PASS', reason: expect.any(String) })),
    })
  })

  it('asks first for what is announced, which does not count, and again where a gateway answers itself', async ({ expect }) => {
    let left = 3
    const { url, asked } = await gateway({
      stable: 0,
      canary: 100,
      insteadOfCanary: (_, response) => {
        if (left-- > 0) response.writeHead(500).end()
        else response.writeHead(200, { 'app-role': 'stable', 'traffic-split': 'stable=100, canary=0' }).end('{"version":"v1"}')
      },
    })
    const { expectation, sample, verdict } = JSON.parse((await run(`check ${url} --json`)).stdout)
    expect(expectation).toEqual([
      { version: null, role: 'stable', share: 1 },
      { version: null, role: 'canary', share: 0 },
    ])
    expect([verdict, sample.requests, asked.length]).toEqual(['PASS', 180, 184])
  })

  it('is inconclusive where the announced split changes after the first reply', async ({ expect }) => {
    let isFirst = true
    const { url } = await gateway({
      stable: 0,
      canary: 100,
      insteadOfCanary: (_, response) => {
        response.setHeader('traffic-split', isFirst ? 'stable=90, canary=10' : 'stable=50, canary=50')
        isFirst = false
        response.writeHead(200, { 'app-role': 'stable' }).end('{"version":"v1"}')
      },
    })
    const { exitCode, stdout } = await run(`check ${url} --json`)
    const { gates } = JSON.parse(stdout)
    expect(gates[1].reason).toBe('the announced split changed meanwhile: stable=90, canary=10, then stable=50, canary=50')
    expect([exitCode, gates[1].verdict]).toEqual([2, 'INCONCLUSIVE'])
  })

  it('refuses an announcement that makes no sense', async ({ expect }) => {
    const { url } = await gateway({ announces: true, stable: Number.NaN })
    expect(await run(`check ${url}`)).toEqual({
      exitCode: 64,
      stdout: '',
      stderr: `canary: ${url}/version announces a split that makes no sense, "stable=NaN, canary=10": give one with --expect v1=90,v2=10`,
    })
  })

  it('goes by the values files where nothing is announced', async ({ expect }) => {
    const { url } = await gateway()
    const { exitCode, stdout } = await run(`check ${url} --json ${fewRequests}`)
    expect(exitCode).toBe(0)
    expect(parseOutput('check', stdout)).toMatchObject({
      expectationFrom: 'the values files',
      expectation: [{ version: 'v1.1.1', role: 'stable', share: 0.9 }, {}],
    })
    const elsewhere = await start(`check ${url} --json --requests 10 --chart ${join(root, 'chart')}`, { cwd: temporary() })
    expect(JSON.parse(elsewhere.stdout)).toMatchObject({ expectationFrom: 'the values files' })
  })

  it('is refused where there is nothing to go by', async ({ expect }) => {
    const { url } = await gateway()
    expect(await run(`check ${url} --chart nowhere`)).toEqual({
      exitCode: 64,
      stdout: '',
      stderr: `canary: nothing to compare with: ${url}/version announces no split, and cannot read nowhere/values-stable.yaml (there is no such file): --chart must name the chart's folder, --values files; give --expect v1=90,v2=10, or the chart's folder with --chart`,
    })
    expect((await run('check http://127.0.0.1:1 --chart nowhere')).stderr).toContain(
      'announces no split (connection refused), and',
    )
  })

  it('refuses to ask without end, unless told how often', async ({ expect }) => {
    const { url } = await gateway()
    const { exitCode, stderr } = await run(`check ${url} --expect v1=9999,v2=1`)
    expect({ exitCode, stderr }).toEqual({
      exitCode: 64,
      stderr: expect.stringMatching(
        /^canary: to judge so small a share or rate takes [\d,]+ requests, and more in case of doubt: say how many at most with --requests$/,
      ),
    })
  })

  it('does as the conformance test of Gateway API', async ({ expect }) => {
    const even = await gateway({ stable: 50, canary: 50 })
    const { exitCode, stdout } = await run(`check ${even.url} --expect stable=50,canary=50 --max-p95-increase 60s --conformance`)
    expect([exitCode, even.asked.length]).toEqual([0, 500])
    expect(stdout).toContain('canary answered 250 of 500 requests')
    const off = await gateway({ stable: 44, canary: 56 })
    expect((await run(`check ${off.url} --expect stable=50,canary=50 --conformance`)).exitCode).toBe(1)
    expect((await run(`check ${off.url} --expect stable=50,canary=50 --requests 500`)).exitCode).toBe(2)
  })

  it('takes limits', async ({ expect }) => {
    const { url } = await gateway({ stable: 50, canary: 50, canaryErrorsEvery: 10 })
    const more = '--max-error-rate 10% --max-error-increase 15% --detect 25% --max-p95-increase 50s --tolerance 10%'
    const { exitCode, stdout } = await run(`check ${url} --expect stable=50,canary=50 ${more}`)
    expect(stdout).toContain('at most 10 % may')
    expect(stdout).toContain('± 10 points')
    expect(stdout).toContain('allowed: 15 points more')
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('allowed: 50000 ms more')
    expect(exitCode).toBe(0)
  })

  it('tells the two by their pods, where a controller runs both in one role', async ({ expect }) => {
    const insteadOfCanary: RequestListener = (_, response) => {
      const headers = { 'app-version': 'v1.1.1', 'app-role': 'stable', 'app-pod': 'devops-api-stable-6c9f-x' }
      response.writeHead(500, headers).end()
    }
    const { url } = await gateway({ insteadOfCanary })
    const { exitCode, stdout } = await run(`check ${url} --expect stable=90,canary=10 --canary-pods ^devops-api-stable-6c9f-`)
    expect(stdout).not.toContain('FAIL split')
    expect(stdout).toMatch(/FAIL canary health\n {2}canary failed (\d+) of \1 \(100 %\), stable 0 of \d+ \(0 %\)/)
    expect(exitCode).toBe(1)
    // Errors aside, which may be sure first.
    const other = await run(`check ${url} --expect stable=90,canary=10 --canary-pods ^devops-api-canary- --max-error-rate 50%`)
    expect(other.stdout).toMatch(/FAIL split\n {2}canary answered 0 of \d+ requests/)
  })

  it('sends user name and password, and prints them nowhere', async ({ expect }) => {
    const { url, asked } = await gateway({ announces: true })
    const file = join(temporary(), 'report.xml')
    const secret = url.replace('//', '//hugo:s3cret@')
    const printed = [
      await run(`check ${secret} --requests 10 --junit ${file}`),
      await run(`check ${secret} --requests 10 --json`),
      await run(`watch ${secret} --for 1s`),
    ]
    for (const headers of asked) expect(headers.authorization).toBe(`Basic ${Buffer.from('hugo:s3cret').toString('base64')}`)
    const { url: silent } = await gateway()
    printed.push(
      await run(`check ${silent.replace('//', '//hugo:s3cret@')} --chart nowhere`),
      await run(`check ${secret} hugo:s3cret@elsewhere`),
      await run('check hugo:s3cret@127.0.0.1:8000'),
      await run('watch ftp://hugo:s3cret@127.0.0.1:8000'),
      await run('check http://hugo:s3/cr@et@127.0.0.1:8000'),
      await run('shift 90/10 --url=htp://hugo:s3cret@127.0.0.1'),
    )
    expect(printed.map(({ exitCode }) => exitCode)).toEqual([2, 2, 0, 64, 64, 64, 64, 64, 64])
    const texts = [readFileSync(file, 'utf8'), ...printed.flatMap(({ stdout, stderr }) => [stdout, stderr])]
    for (const text of texts) expect(text).not.toMatch(/hugo|s3|cr@et/)
    expect(texts.join('\n')).toContain(`${url}/version: 10 requests`)
    const mail = await run('check http://127.0.0.1:1/a:b@c --requests 0')
    expect(mail.stderr).toContain("argument '0' is invalid")
  })

  it.each([
    ['', '/version'],
    ['/', '/version'],
    ['/version', '/version'],
    ['/version/', '/version/'],
    ['/prefix', '/prefix'],
    ['/?a=b', '/?a=b'],
    ['/a path/version?a=b c', '/a%20path/version?a=b%20c'],
  ])('of %j asks for %s', async (path, asked) => {
    const { url } = await gateway()
    const { stdout } = await run(['check', `${url}${path}`, '--expect', 'stable=90,canary=10', '--requests', '1', '--json'])
    expect(parseOutput('check', stdout).url).toBe(`${url}${asked}`)
  })

  it.each([{}, { NODE_USE_ENV_PROXY: '1' }])(
    'asks the gateway itself, whatever proxy the environment names: %j',
    async (settings) => {
      const [service, proxy] = [await gateway({ canary: 0 }), await gateway({ canary: 0 })]
      let tunnels = 0
      proxy.server.on('connect', (_, socket) => {
        tunnels++
        socket.destroy()
      })
      const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()])
      const env = { ...Object.fromEntries(names.map((name) => [name, proxy.url])), ...settings }
      const { stdout } = await start(`check ${service.url} --expect stable=1,canary=0 --requests 30 --json`, { env })
      expect(parseOutput('check', stdout).sample).toMatchObject({ requests: 30, failures: {} })
      expect([service.asked.length, proxy.asked.length, tunnels]).toEqual([30, 0, 0])
    },
  )

  it('takes spaces in names of files and folders', async ({ expect }) => {
    const { url } = await gateway()
    const folder = join(temporary(), 'of many words')
    cpSync(join(root, 'chart'), join(folder, 'my chart'), { recursive: true })
    const file = join(folder, 'my report.xml')
    const files = ['--chart', join(folder, 'my chart'), '--junit', file]
    const { stdout, stderr } = await run(['check', url, '--requests', '10', '--json', ...files])
    expect(stderr).toBe('')
    expect(parseOutput('check', stdout).expectationFrom).toBe('the values files')
    expect(readFileSync(file, 'utf8')).toContain('<testsuites')
  })

  it('says how much of a rate it did not reach', async ({ expect }) => {
    const { url } = await gateway({
      stable: 0,
      canary: 100,
      insteadOfCanary: (_, response) =>
        setTimeout(() => response.writeHead(200, { 'app-role': 'canary' }).end('{"version":"v"}'), 700),
    })
    const line = `check ${url} --expect canary=1 --requests 4 --rate 100 --connections 1`
    const { stdout } = await run(`${line} --json`)
    const { sample } = parseOutput('check', stdout)
    expect(sample.requests).toBe(4)
    expect(sample.unsent).toBeGreaterThan(0)
  })

  it('sends the headers and the host it is told, on as many connections', async ({ expect }) => {
    const { url, asked } = await gateway()
    await run(
      `check ${url} ${expected} --requests 10 --host devops-api.internal --header x-a:1 --header X-B:2 --connections 3 --rate 1000 --timeout 10s`,
    )
    expect(asked).toHaveLength(10)
    for (const headers of asked) expect(headers).toMatchObject({ host: 'devops-api.internal', 'x-a': '1', 'x-b': '2' })
  })

  it('writes JUnit XML beside', async ({ expect }) => {
    const { url } = await gateway()
    const folder = temporary()
    const { exitCode, stdout } = await run(`check ${url} ${expected} ${fewRequests} --junit ${folder}/report.xml`)
    expect(exitCode).toBe(0)
    expect(stdout).toContain('PASS')
    expect(readFileSync(`${folder}/report.xml`, 'utf8')).toContain('<testsuites tests="3" failures="0" errors="0" skipped="0"')
    expect(readdirSync(folder)).toEqual(['report.xml'])
    const refused = await run(`check ${url} ${expected} ${fewRequests} --junit ${folder}/x/report.xml`)
    expect(refused.exitCode).toBe(64)
    expect(refused.stdout).toContain('PASS')
    expect(refused.stderr).toBe(
      `canary: cannot write --junit ${folder}/x/report.xml (ENOENT): it must be a file in a folder that can be written to`,
    )
  })

  it('judges what it has when interrupted', async ({ expect }) => {
    const { url, asked } = await gateway()
    const child = start(`check ${url} ${expected} --rate 50`)
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(5), { timeout: 120_000, interval: 2 })
    child.kill('SIGINT')
    const { exitCode, stdout } = await child
    expect(exitCode).toBe(2)
    expect(stdout).toContain('too early to tell')
  })

  it('shows colours and its progress on a terminal, but for NO_COLOR', async ({ expect }) => {
    const { url } = await gateway()
    const { stdout, exitCode } = await startOnTerminal(`check ${url} ${expected}`, 60)
    expect(exitCode).toBe(0)
    expect(stdout).toContain('\u001b[32mPASS')
    expect(stdout).toMatch(/\d of 1,960 requests, as a rule/)
    expect(stdout.slice(stdout.lastIndexOf(' requests, as a rule\r\n'))).toContain(lineUp)
    const lines = stripVTControlCharacters(stdout).split(/\r?\n/)
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(60)
    const without = await startOnTerminal(`check ${url} ${expected} ${fewRequests}`, 60, { NO_COLOR: '1' })
    expect(without.stdout).not.toContain('\u001b[32m')
    expect(without.stdout).toContain('PASS availability')
  })
})

describe.concurrent('watch', () => {
  it('has a line for each second where there is no terminal, and a summary', async ({ expect }) => {
    const { url } = await gateway({ announces: true })
    const child = start(`watch ${url} --rate 100 --timeout 60s`)
    const isAnswered = (line: string) => line.includes('stable')
    const isByCanary = (line: string) => line.includes('-canary')
    const lines: string[] = []
    for await (const line of child) {
      if (isByCanary(line) && !lines.some(isByCanary)) child.kill('SIGINT')
      lines.push(line)
    }
    const { exitCode, stdout, stderr } = await child
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(lines.find(isAnswered)).toMatch(/^\d\d:\d\d:\d\dZ {2}\d+ requests? {2}v1\.1\.1 stable \d+ \(\d+(\.\d)? %, p95 .* ms\)/)
    expect(stdout).toMatch(/\/version: [\d,]+ requests in \d+:\d\d\n/)
    expect(stdout).toMatch(/v1\.1\.1-canary .* 10 % /)
    expect(stdout).not.toContain('\u001b')
  })

  it('prints JSON objects, the last of which has everything', async ({ expect }) => {
    const { url, asked } = await gateway({ canaryErrorsEvery: 2 })
    const { exitCode, stdout } = await run(`watch ${url} --for 2500ms --rate 50 --json`)
    expect(exitCode).toBe(0)
    const objects = stdout.split('\n').map((line) => parseOutput('watch', line))
    const requests = objects.at(-1)?.total.requests
    const seconds = objects.map(({ second }) => second.requests)
    expect(requests).toBe(seconds.reduce((sum, number) => sum + number, 0))
    // What was under way at the end has no outcome.
    expect(asked.length).toBeGreaterThanOrEqual(requests ?? 0)
    expect(objects[0]).toEqual({
      at: expect.any(String),
      seconds: expect.any(Number),
      second: expect.any(Object),
      total: expect.any(Object),
    })
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with a summary at %s', async (signal) => {
    const { url, asked } = await gateway()
    const child = start(`watch ${url} --expect v1.1.1=90,v1.1.1-canary=10`)
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(10), { timeout: 120_000, interval: 2 })
    child.kill(signal)
    const { exitCode, stdout } = await child
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/\d+ requests in 0:0\d\n[\s\S]*v1\.1\.1 stable .* 90 % /)
  })

  it('says what it did not send', async ({ expect }) => {
    const { url } = await gateway({ stable: 0, canary: 100, insteadOfCanary: () => {} })
    const { stdout } = await run(`watch ${url} --for 1s --rate 100 --connections 2`)
    expect(stdout).toMatch(/\d+ requests not sent, as all --connections were busy/)
  })

  it('does not mind that nobody reads on', async ({ expect }) => {
    const { url } = await gateway()
    const command = `set -o pipefail; ${process.execPath} ${main} watch ${url} --rate 100 --json | head -n 1 > /dev/null`
    const { exitCode, stderr } = await execa('bash', ['-c', command], { reject: false })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  })

  it.each([60, 80, 140])('is live on a terminal of %i columns, until Ctrl-C', async (columns) => {
    const { url, asked } = await gateway({ announces: true })
    const child = startOnTerminal(`watch ${url} --rate 100`, columns)
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(130), { timeout: 120_000, interval: 2 })
    child.stdin.write('\u0003')
    const { exitCode, stdout } = await child
    expect(exitCode).toBe(0)
    const text = stripVTControlCharacters(stdout)
    expect(text).toContain('Ctrl-C ends with a summary')
    expect(stdout).toContain('\u001b[36mv1.1.1 stable')
    expect(text).toMatch(/[▁▂▃▄▅▆▇█]/)
    for (const line of text.split(/[\r\n]+/)) expect(line.length).toBeLessThanOrEqual(columns + 2)
    expect(stdout.slice(stdout.lastIndexOf('Ctrl-C ends'))).toContain(lineUp)
    // The cursor is back, and the summary the last thing to be seen.
    expect(stdout.lastIndexOf('\u001b[?25h')).toBeGreaterThan(stdout.lastIndexOf('\u001b[?25l'))
    expect(text.slice(text.lastIndexOf('/version: '))).not.toContain('Ctrl-C ends')
  })

  it('draws anew on a terminal that becomes narrower', async ({ expect }) => {
    const { url, asked } = await gateway({ announces: true })
    const child = startOnTerminal(`watch ${url} --rate 100`, 120)
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(50), { timeout: 120_000, interval: 2 })
    const [, pid = ''] = /^(\d+)/.exec((await execa('pgrep', ['-P', `${child.pid}`])).stdout) ?? []
    await execa('sh', ['-c', `stty cols 50 rows 40 < /proc/${pid}/fd/0`])
    const before = asked.length
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(before + 80), { timeout: 120_000, interval: 2 })
    child.stdin.write('\u0003')
    const { stdout } = await child
    const [wide = '', narrow = ''] = stdout.split('\u001b[2J\u001b[H')
    expect(wide).toContain('█')
    expect(narrow).toContain('v1.1.1 stable')
    for (const line of stripVTControlCharacters(narrow).split(/[\r\n]+/)) expect(line.length).toBeLessThanOrEqual(52)
  })
})

describe.concurrent('wrong use', () => {
  const url = 'http://127.0.0.1:1'
  it.each([
    ['chek', "unknown command 'chek' (Did you mean check?)"],
    [`check ${url} more`, `too many arguments for 'check'. Expected 1 argument but got 2: ${url}, more.`],
    [`watch ${url} --fro 1s`, "unknown option '--fro' (Did you mean --for?)"],
    [
      'check 127.0.0.1:8000',
      "command-argument value '127.0.0.1:8000' is invalid for argument 'URL'. It must be a URL such as http://127.0.0.1:8000, which is asked for /version, or one with a path.",
    ],
    [
      'watch ftp://x',
      "command-argument value 'ftp://x' is invalid for argument 'URL'. It must be a URL such as http://127.0.0.1:8000, which is asked for /version, or one with a path.",
    ],
    [
      `check ${url} --requests 0`,
      "option '--requests <number>' argument '0' is invalid. It must be a whole number from 1 to 10000000.",
    ],
    [`check ${url} --rate 1.5`, "option '--rate <number>' argument '1.5' is invalid. It must be a whole number from 1 to 10000."],
    [
      `check ${url} --connections many`,
      "option '--connections <number>' argument 'many' is invalid. It must be a whole number from 1 to 1000.",
    ],
    [
      `check ${url} --tolerance 5`,
      "option '--tolerance <percentage>' argument '5' is invalid. It must be a percentage from 0.1% to 50%, such as 1%.",
    ],
    [
      `check ${url} --max-error-rate 0%`,
      "option '--max-error-rate <percentage>' argument '0%' is invalid. It must be a percentage from 0.01% to 100%, such as 1%.",
    ],
    [
      `check ${url} --max-error-increase 101%`,
      "option '--max-error-increase <percentage>' argument '101%' is invalid. It must be a percentage from 0% to 100%, such as 1%.",
    ],
    [
      `check ${url} --max-p95-increase 20`,
      "option '--max-p95-increase <duration>' argument '20' is invalid. It must be a duration from 0ms to 60s, such as 500ms, 30s or 2m.",
    ],
    [
      `check ${url} --timeout 61s`,
      "option '--timeout <duration>' argument '61s' is invalid. It must be a duration from 1ms to 60s, such as 500ms, 30s or 2m.",
    ],
    [
      `watch ${url} --for 25h`,
      "option '--for <duration>' argument '25h' is invalid. It must be a duration from 1s to 24h, such as 500ms, 30s or 2m.",
    ],
    [
      `check ${url} --expect v1`,
      "option '--expect <shares>' argument 'v1' is invalid. It must be versions or roles with their weights, such as 90/10, stable=90,canary=10 or v1=90,v2=10.",
    ],
    [
      `check ${url} --header x`,
      "option '--header <'name: value'>' argument 'x' is invalid. It must be 'name: value', with a name that is not the HTTP client's own.",
    ],
    [
      `check ${url} --header accept-encoding:gzip`,
      "option '--header <'name: value'>' argument 'accept-encoding:gzip' is invalid. It must be 'name: value', with a name that is not the HTTP client's own.",
    ],
    [
      `check ${url} --header connection:close`,
      "option '--header <'name: value'>' argument 'connection:close' is invalid. It must be 'name: value', with a name that is not the HTTP client's own.",
    ],
    [
      `check ${url} --canary-pods (`,
      "option '--canary-pods <pattern>' argument '(' is invalid. It must be a regular expression, such as '-stable-6c9f'.",
    ],
    [`check ${url} --host a/b`, "option '--host <name>' argument 'a/b' is invalid. It must be a host name, perhaps with a port."],
    [
      `check ${url} --detect 1% --max-error-increase 2%`,
      '--detect 1 % must be more than --max-error-increase 2 %: what is allowed cannot be a fault',
    ],
    [`check ${url} --conformance --requests 5`, "option '--conformance' cannot be used with option '--requests <number>'"],
    [`check ${url} --conformance --tolerance 1%`, "option '--conformance' cannot be used with option '--tolerance <percentage>'"],
    [`check ${url} --conformance --connections 1`, "option '--conformance' cannot be used with option '--connections <number>'"],
  ])('%s', async (line, message) => {
    expect(await run(line)).toEqual({ exitCode: 64, stdout: '', stderr: `canary: ${message}` })
  })

  it('is to say nothing, too', async ({ expect }) => {
    const { exitCode, stdout, stderr } = await start('')
    expect([exitCode, stdout]).toEqual([64, ''])
    expect(stderr).toContain('Usage: canary')
  })
})

it('Help is no wrong use', async () => {
  const [all, check, watch] = await Promise.all(['--help', 'check --help', 'watch --help'].map((line) => run(line)))
  for (const result of [all, check, watch]) expect(result).toMatchObject({ exitCode: 0, stderr: '' })
  expect(all?.stdout).toContain('Exit codes: 0 done or PASS, 1 FAIL, 2 INCONCLUSIVE, 64 wrong use, 130 interrupted.')
  for (const line of check?.stdout.split('\n') ?? []) expect(line.length).toBeLessThanOrEqual(80)
  expect(check?.stdout).toContain('(default: 1%)')
  expect(watch?.stdout).toContain('--for <duration>')
})

it('Nothing of it imports the service or the demo', () => {
  for (const path of readdirSync(join(root, 'src/canary'), { recursive: true, encoding: 'utf8' })) {
    if (path.endsWith('.ts'))
      expect(readFileSync(join(root, 'src/canary', path), 'utf8')).not.toMatch(/from '[^']*\/(service|demo)\//)
  }
})
