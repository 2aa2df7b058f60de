import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { bundled } from '../bundled.ts'
import { type Options, render, type Values } from './render.ts'

const { Pod } = await render('canary')
// Where the image runs it.
const cwd = await bundled()
const container = Pod.spec?.containers[0]
const variables = Object.fromEntries(container?.env?.map(({ name, value }) => [name, value ?? '']) ?? [])

const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => (...args: unknown[]) => Promise<void>

/** The script, which gets one reply after another, the last for ever, and for which waiting takes no time. */
async function run(...replies: (() => Response)[]) {
  const printed: string[] = []
  const process = { env: variables, argv: ['node'], exitCode: 0 }
  const fetch = async (url: string) => {
    expect(url).toBe('http://devops-api-canary:80/version')
    const reply = replies.length > 1 ? replies.shift() : replies[0]
    return reply?.()
  }
  const print = (line: string) => printed.push(line)
  const script = new AsyncFunction('process', 'console', 'fetch', 'setTimeout', container?.args?.at(-1) ?? '')
  await script(process, { log: print, error: print }, fetch, (callback: () => void) => callback())
  return { printed, exitCode: process.exitCode }
}

const says =
  (version: string, role = 'canary') =>
  () =>
    Response.json({ version }, { headers: { 'app-version': version, 'app-role': role } })
const refused = () => {
  throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 10.96.0.7:80') })
}

it('runs on request, once, with the image of the release, and is gone when it has passed', async () => {
  const { Deployment } = await render('canary')
  expect(Pod.metadata.annotations).toEqual({
    'helm.sh/hook': 'test',
    'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded',
  })
  expect(Pod.spec?.restartPolicy).toBe('Never')
  expect(container?.image).toBe(Deployment.spec?.template.spec?.containers[0]?.image)
  expect(variables).toEqual({ URL: 'http://devops-api-canary:80/version', VERSION: 'v1.1.1-canary', ROLE: 'canary' })
})

const passed = '200 {"version":"v1.1.1-canary"} (app-version: v1.1.1-canary, app-role: canary)'

it('passes as node runs it', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'app-version': 'v1.1.1-canary', 'app-role': 'canary' }).end('{"version":"v1.1.1-canary"}')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/version`
  const { stdout, exitCode } = await execa(process.execPath, container?.args ?? [], { cwd, env: { ...variables, URL } })
  server.close()
  expect([stdout, exitCode]).toEqual([`${URL}: ${passed}`, 0])
})

it('is patient while the Service does not answer, or in its previous version', async () => {
  expect(await run(refused, says('v1.1.0-canary'), says('v1.1.1-canary'))).toEqual({
    printed: [`http://devops-api-canary:80/version: ${passed}`],
    exitCode: 0,
  })
})

it.each([
  ['another version', says('v1.1.1'), '200 {"version":"v1.1.1"} (app-version: v1.1.1, app-role: canary)'],
  ['another role', says('v1.1.1-canary', 'stable'), passed.replace('canary)', 'stable)')],
  ['no headers', () => Response.json({ version: 'v1' }), '200 {"version":"v1"} (app-version: null, app-role: null)'],
  ['an error', () => new Response('busy', { status: 503 }), '503 busy (app-version: null, app-role: null)'],
  ['no answer', refused, 'connect ECONNREFUSED 10.96.0.7:80'],
])('fails in the end on %s', async (_, reply, got) => {
  expect(await run(reply)).toEqual({
    printed: [`http://devops-api-canary:80/version: ${got}, expected ${passed}`],
    exitCode: 1,
  })
})

describe.concurrent('the gateway', () => {
  const address = '10.0.0.1:8000'

  /** What follows the script. */
  async function gatewayArguments(values: Values, options: Options = {}) {
    const { Pod } = await render('stable', { values, ...options })
    return Pod.spec?.containers[0]?.args?.slice(3)
  }

  it('is asked by the canary CLI, for the weights of the route, by role', async () => {
    expect(await gatewayArguments({ test: { gatewayAddress: address } })).toEqual([
      '--',
      'check',
      `http://${address}`,
      '--host=devops-api.devops-db.internal',
      '--expect=stable=90, canary=10',
      '--rate=500',
      '--timeout=2s',
    ])
  })

  it.each([
    [100, 0],
    [0, 100],
    [1_000_000, 999_999],
  ])('is asked for %i/%i', async (stable, canary) => {
    const values = { traffic: { stable, canary }, test: { gatewayAddress: address } }
    expect(await gatewayArguments(values)).toContain(`--expect=stable=${stable}, canary=${canary}`)
  })

  it.each([
    [['example.com', 'example.org'], '--host=example.com'],
    [['*.example.com'], '--host=any.example.com'],
    [[], undefined],
  ])('is asked for the first of the host names %j', async (hostnames, host) => {
    const found = await gatewayArguments({ gateway: { hostnames }, test: { gatewayAddress: address } })
    expect(found?.find((argument) => argument.startsWith('--host'))).toBe(host)
  })

  it.each(['traefik.traefik:80', '[fd00::1]:8000', 'Gateway-1:65535'])('can be at %s', async (gatewayAddress) => {
    expect(await gatewayArguments({ test: { gatewayAddress } })).toContain(`http://${gatewayAddress}`)
  })

  it("can be somebody else's", async () => {
    const options = { overlays: ['examples/shared-gateway.yaml'] }
    expect(await gatewayArguments({ test: { gatewayAddress: address } }, options)).toContain(`http://${address}`)
  })

  it('is not asked, and not missed, without a route', async () => {
    expect(await gatewayArguments({ gateway: { enabled: false } })).toEqual([])
    const { Pod } = await render('stable', { values: { gateway: { enabled: false } } })
    expect(Pod.spec?.containers[0]?.env?.map(({ name }) => name)).toEqual(['URL', 'VERSION', 'ROLE'])
  })

  /** The test as node runs it, against stable behind a gateway that gives canary every so many requests. */
  async function runAgainst(
    canaryEvery: number,
    answerOfCanary: [status: number, headers?: Record<string, string>],
    valuesFor = (gatewayAddress: string): Values => ({ test: { gatewayAddress } }),
  ) {
    let requests = 0
    const hosts = new Set<string | undefined>()
    const server = createServer(({ headers }, response) => {
      hosts.add(headers.host)
      if (++requests % canaryEvery === 0) response.writeHead(...answerOfCanary).end('{"version":"v1.1.1-canary"}')
      else response.writeHead(200, { 'app-version': 'v1.1.1', 'app-role': 'stable' }).end('{"version":"v1.1.1"}')
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const gatewayAddress = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const { Pod } = await render('stable', { values: valuesFor(gatewayAddress) })
    const { args = [], env = [] } = Pod.spec?.containers[0] ?? {}
    const variables = Object.fromEntries(env.map(({ name, value }) => [name, value]))
    const { stdout, exitCode } = await execa(process.execPath, args, {
      cwd,
      env: { ...variables, URL: `http://${gatewayAddress}/version` },
      reject: false,
    })
    server.close()
    return { stdout, exitCode, hosts: [...hosts] }
  }
  const canary = { 'app-version': 'v1.1.1-canary', 'app-role': 'canary' }

  it('passes when it splits as the route says', async () => {
    const { stdout, exitCode, hosts } = await runAgainst(10, [200, canary])
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/version: 200 \{"version":"v1\.1\.1"\}.*\n/)
    expect(stdout).toMatch(/expected: stable 90 %, canary 10 %\n.*\nPASS split\n.*\nPASS$/s)
    expect(exitCode).toBe(0)
    expect(hosts.at(-1)).toBe('devops-api.devops-db.internal')
  })

  it('is not asked where its address is not known, and the test says so', async () => {
    const { stdout, exitCode, hosts } = await runAgainst(10, [500], () => ({}))
    expect(stdout.split('\n').slice(1)).toEqual([
      'The gateway is not asked, because its address is not known: set test.gatewayAddress to its host:port, or repeat helm upgrade once the Gateway has an address.',
    ])
    expect([exitCode, hosts.length]).toEqual([0, 1])
  })

  it.each([
    ['canary is missing', 10, [500], /FAIL availability\n.*the Service is missing\s+\(canary\)/s],
    ['it splits otherwise', 2, [200, canary], /FAIL split\n.*canary answered .* \(50 %\), expected\s+10 %/s],
  ] as const)('fails when %s, and says so', async (_, every, [status, headers], reason) => {
    const { stdout, exitCode } = await runAgainst(every, [status, { ...headers }])
    expect(stdout).toMatch(reason)
    expect(exitCode).toBe(1)
  })
})
