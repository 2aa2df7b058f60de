import { type AddressInfo, connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import request from 'supertest'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { buildApp } from '../../src/service/app.ts'

const env = { DEVOPSAPI_VERSION: 'v1.1.1', DEVOPSAPI_ROLE: 'stable', DEVOPSAPI_POD: 'devops-api-stable-x', LOG_LEVEL: 'silent' }
const paths = ['/', '/version', '/livez', '/readyz', '/metrics', '/openapi.json']
let app: FastifyInstance

beforeEach(async () => {
  app = await buildApp(env)
  await app.ready()
})
afterEach(() => app.close())

const ask = () => request(app.server)

/** The value of one sample of /metrics, by its name and all its labels. */
async function sample(nameAndLabels: string): Promise<number | undefined> {
  const { text } = await ask().get('/metrics')
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${nameAndLabels} `))
  return line === undefined ? undefined : Number(line.split(' ').at(-1))
}

describe('GET /version', () => {
  it('says the version, exactly', async () => {
    const reply = await ask().get('/version')
    expect(reply.text).toBe('{"version":"v1.1.1"}')
    expect(reply.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'content-length': '20',
      'cache-control': 'no-store',
    })
  })

  it('ignores a query', async () => {
    await ask().get('/version?cachebuster=1').expect(200, '{"version":"v1.1.1"}')
  })

  it('says the version of the package by default, and no role or pod', async () => {
    const plain = await buildApp({ LOG_LEVEL: 'silent' })
    await plain.ready()
    const reply = await request(plain.server).get('/version')
    expect(reply.body).toEqual({ version: `v${manifest.version}` })
    expect(reply.headers).toHaveProperty('app-version', `v${manifest.version}`)
    expect(reply.headers).not.toHaveProperty('app-role')
    expect(reply.headers).not.toHaveProperty('app-pod')
    await plain.close()
  })

  it('passes on every character that a version may have', async () => {
    const version = ' !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'.trim()
    const odd = await buildApp({ DEVOPSAPI_VERSION: version, LOG_LEVEL: 'silent' })
    await odd.ready()
    const reply = await request(odd.server).get('/version')
    expect(reply.body).toEqual({ version })
    expect(reply.headers['app-version']).toBe(version)
    const { text } = await request(odd.server).get('/metrics')
    expect(text).toContain(`version="${version.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`)
    await odd.close()
  })
})

describe('every reply', () => {
  it.each([
    ['GET', '/version', 200],
    ['GET', '/nowhere', 404],
    ['GET', '/version/', 404],
    ['GET', '/', 200],
    ['GET', '/%zz', 400],
    ['POST', '/version', 405],
    ['PROPFIND', '/version', 405],
    ['PROPFIND', '/nowhere', 404],
    ['QUERY', '/version', 405],
    ['QUERY', '/nowhere', 404],
  ])('%s %s is %i and says who answered', async (method, path, status) => {
    const reply = await app.inject({ method: method as 'GET', url: path })
    expect(reply.statusCode).toBe(status)
    expect(reply.headers).toMatchObject({ 'app-version': 'v1.1.1', 'app-role': 'stable', 'app-pod': 'devops-api-stable-x' })
    if (status >= 400) expect(Object.keys(reply.json())).toEqual(['statusCode', 'error', 'message'])
  })

  it('tells a client what an error is about', async () => {
    const missing = await ask().get('/nowhere?secret=1')
    expect(missing.body).toEqual({ statusCode: 404, error: 'Not Found', message: 'there is no /nowhere here' })
    const wrong = await ask().delete('/version')
    expect(wrong.headers.allow).toBe('GET, HEAD')
    expect(wrong.body).toEqual({
      statusCode: 405,
      error: 'Method Not Allowed',
      message: '/version answers GET and HEAD, not DELETE',
    })
  })

  it.each(paths)('HEAD %s has the headers of GET and no body', async (path) => {
    const [get, head] = [await ask().get(path), await ask().head(path)]
    expect(head.status).toBe(200)
    expect(head.text).toBeUndefined()
    expect(head.headers['content-type']).toBe(get.headers['content-type'])
    expect(Number(head.headers['content-length'])).toBeGreaterThan(0)
  })

  it('passes on what Fastify refuses, which is no news to the log', async () => {
    const other = await buildApp(env)
    other.post('/typed', () => 'never')
    const logged: unknown[] = []
    other.logger.error = (...line: unknown[]) => logged.push(line)
    const reply = await other.inject({ method: 'POST', url: '/typed', headers: { 'content-type': 'no type' } })
    expect(reply.json()).toEqual({ statusCode: 415, error: 'Unsupported Media Type', message: 'Unsupported Media Type' })
    expect(reply.headers['app-version']).toBe('v1.1.1')
    expect(logged).toEqual([])
    await other.close()
  })

  it('keeps an unexpected error to the log', async () => {
    const broken = await buildApp(env)
    broken.get('/broken', () => {
      throw new Error('a secret')
    })
    const logged: unknown[] = []
    broken.logger.error = (...line: unknown[]) => logged.push(line)
    const reply = await broken.inject('/broken')
    expect(reply.statusCode).toBe(500)
    expect(reply.body).not.toContain('secret')
    expect(reply.headers['app-version']).toBe('v1.1.1')
    expect(logged).toMatchObject([[{ err: { message: 'a secret' }, url: '/broken' }, 'unexpected error']])
    await broken.close()
  })
})

describe('a request body', () => {
  it('is refused as a media type where it has one', async () => {
    const reply = await ask().post('/version').send({ any: 'thing' })
    expect(reply.status).toBe(415)
    expect(reply.body.message).toBe('a request body is not accepted, of type application/json or any other')
    expect(reply.headers).toMatchObject({ connection: 'close', 'app-version': 'v1.1.1' })
  })

  it('is refused as too large where it has none, with any method and on any path', async () => {
    for (const method of ['GET', 'POST', 'PUT'] as const) {
      const reply = await app.inject({ method, url: '/nowhere', headers: { 'content-length': '2' }, payload: '{}' })
      expect(reply.statusCode).toBe(413)
      expect(reply.json()).toEqual({
        statusCode: 413,
        error: 'Payload Too Large',
        message: 'a request body is not accepted: the limit is 0 bytes',
      })
    }
  })

  it('of no bytes is no body', async () => {
    const reply = await app.inject({ url: '/version', headers: { 'content-length': '0' } })
    expect(reply.statusCode).toBe(200)
  })
})

it('hangs up on a client that does not read its replies', async () => {
  const listening = await buildApp(env)
  let answered = 0
  listening.addHook('onResponse', async () => {
    answered++
  })
  await listening.listen({ host: '127.0.0.1', port: 0 })
  const ended = new Promise<void>((resolve) => {
    listening.server.once('connection', (connection) => connection.once('close', resolve))
  })
  let isOver = false
  ended.then(() => {
    isOver = true
  })
  const { port } = listening.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  // Replies go out as long as there is room for them on the way.
  for (let asked = 1; !isOver; asked++) {
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await vi.waitFor(() => expect(isOver || answered === asked).toBe(true), { timeout: 120_000, interval: 2 })
  }
  expect(answered).toBeGreaterThan(0)
  socket.destroy()
  await listening.close()
})

describe('GET /livez and /readyz', () => {
  it('answer 200', async () => {
    await ask().get('/livez').expect(200, 'ok')
    await ask().get('/readyz').expect(200, 'ok')
  })

  it('can be told never to be ready, while alive', async () => {
    const never = await buildApp({ ...env, FAULT_READY_AFTER_MS: '-1' })
    expect((await never.inject('/readyz')).json()).toMatchObject({ statusCode: 503, message: 'not ready' })
    expect((await never.inject('/livez')).statusCode).toBe(200)
    await never.close()
  })

  it('can be told to become ready later', async () => {
    const slow = await buildApp({ ...env, FAULT_READY_AFTER_MS: '50' })
    expect((await slow.inject('/readyz')).statusCode).toBe(503)
    await expect.poll(async () => (await slow.inject('/readyz')).statusCode).toBe(200)
    await slow.close()
  })
})

describe('GET /metrics', () => {
  it('counts replies by method, route and status, with the version and the role on every series', async () => {
    await ask().get('/version')
    await ask().get('/version?again')
    await ask().head('/version')
    const common = 'version="v1.1.1",role="stable"'
    const count = (labels: string) => sample(`http_request_duration_seconds_count{${labels},${common}}`)
    expect(await count('method="GET",route="/version",status="200"')).toBe(2)
    expect(await count('method="HEAD",route="/version",status="200"')).toBe(1)
    expect(await sample(`app_build_info{${common}}`)).toBe(1)
    const { text, headers } = await ask().get('/metrics')
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(text).toMatch(/^process_cpu_seconds_total\{/m)
    const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    expect(samples.length).toBeGreaterThan(50)
    for (const line of samples) expect(line).toContain(common)
  })

  it('has cumulative buckets that end at the count', async () => {
    await ask().get('/version')
    const { text } = await ask().get('/metrics')
    const buckets = text.split('\n').filter((line) => /^http_request_duration_seconds_bucket.*route="\/version"/.test(line))
    const counts = buckets.map((line) => Number(line.split(' ').at(-1)))
    expect(buckets.at(-1)).toContain('le="+Inf"')
    expect(counts).toEqual(counts.toSorted((a, b) => a - b))
    expect(counts.at(-1)).toBe(1)
  })

  it('makes no new series of unknown paths and methods', async () => {
    for (const method of ['GET', 'PROPFIND', 'MKCOL']) {
      for (const url of ['/a', '/b', '/version/c']) await app.inject({ method: method as 'GET', url })
    }
    await app.inject({ method: 'POST', url: '/version' })
    const { text } = await ask().get('/metrics')
    const series = text.match(/^http_request_duration_seconds_count\{.*\} \d+$/gm)
    const common = 'version="v1.1.1",role="stable"'
    expect(series?.toSorted()).toEqual([
      `http_request_duration_seconds_count{method="GET",route="unmatched",status="404",${common}} 3`,
      `http_request_duration_seconds_count{method="POST",route="unmatched",status="405",${common}} 1`,
      `http_request_duration_seconds_count{method="_OTHER",route="unmatched",status="404",${common}} 6`,
    ])
  })
})

describe('GET /openapi.json', () => {
  it('describes every route, in OpenAPI 3.1, out of the schemas of the routes', async () => {
    const { body, headers } = await ask().get('/openapi.json')
    expect(headers['content-type']).toBe('application/json; charset=utf-8')
    expect(body.openapi).toMatch(/^3\.1\./)
    expect(Object.keys(body.paths).toSorted()).toEqual(paths.toSorted())
    expect(body.paths['/version'].get.responses[200].content['application/json'].schema).toMatchObject({
      required: ['version'],
      properties: { version: { type: 'string' } },
    })
  })
})
