import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { render } from './render.ts'

const { Pod } = await render('canary')
const container = Pod.spec?.containers[0]
const variables = Object.fromEntries(container?.env?.map(({ name, value }) => [name, value ?? '']) ?? [])

const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => (...args: unknown[]) => Promise<void>

/** The script, which gets one reply after another, the last for ever, and for which waiting takes no time. */
async function run(...replies: (() => Response)[]) {
  const printed: string[] = []
  const process = { env: variables, exitCode: 0 }
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
  const { stdout, exitCode } = await execa(process.execPath, container?.args ?? [], { env: { ...variables, URL } })
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
