import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { bundled } from '../bundled.ts'

const root = join(import.meta.dirname, '../..')
const { PATH } = process.env

interface Line {
  level: number
  msg: string
  [field: string]: unknown
}

const children: { kill(signal: 'SIGKILL'): boolean }[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
})

/** The real thing, in a process of its own. */
function start(env: NodeJS.ProcessEnv = {}, nodeOptions: string[] = [], server = 'src/service/server.ts') {
  const child = execa(process.execPath, [...nodeOptions, server], {
    cwd: root,
    env: { PATH, PORT: '0', ...env },
    extendEnv: false,
    reject: false,
    forceKillAfterDelay: false,
  })
  children.push(child)
  const lines: Line[] = []
  createInterface(child.stdout).on('line', (line) => lines.push(JSON.parse(line)))
  return { child, lines }
}

async function listening(env: NodeJS.ProcessEnv = {}, nodeOptions: string[] = [], server?: string) {
  const { child, lines } = start(env, nodeOptions, server)
  await until(() => lines.find(({ msg }) => msg === 'listening') !== undefined)
  const { address } = lines[0] as Line
  const port = Number(`${address}`.split(':').at(-1))
  return { child, lines, url: `http://127.0.0.1:${port}`, port }
}

/** A bare connection, to send what no HTTP client would. */
async function dial(port: number): Promise<{ socket: Socket; received: () => string; closed: Promise<unknown> }> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += chunk
  })
  const closed = once(socket, 'close')
  await once(socket, 'connect')
  return { socket, received: () => text, closed }
}

/** Unlike `expect.poll`, it does not mind that tests run side by side. */
const until = (done: () => boolean) => vi.waitFor(() => expect(done()).toBe(true), { timeout: 120_000, interval: 2 })

/** What comes back, of replies whose body is JSON, on a connection that stays open. */
async function replyTo(port: number, request: string): Promise<string> {
  const { socket, received } = await dial(port)
  socket.write(request)
  await until(() => received().endsWith('}'))
  return received()
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: devops-api\r\n\r\n`
const isRefused = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(false)
    })
    socket.on('error', () => resolve(true))
  })

const ended = async (child: ReturnType<typeof start>['child']) => {
  const { exitCode, signal, stderr } = await child
  return { exitCode, signal, stderr }
}

describe('what is published', () => {
  it('answers as the source does, stops as it does, and fills the image with what it loads', async () => {
    const app = await bundled()
    const [source, published] = await Promise.all([listening(), listening({}, [], join(app, 'service/server.js'))])
    const answers = async (url: string, path: string) => {
      const reply = await fetch(url + path, { headers: { 'accept-encoding': 'identity' } })
      const { date, ...headers } = Object.fromEntries(reply.headers)
      return { status: reply.status, headers, text: await reply.text() }
    }
    for (const path of ['/', '/version', '/livez', '/readyz', '/openapi.json', '/none'])
      expect([path, await answers(published.url, path)]).toEqual([path, await answers(source.url, path)])
    const series = async (url: string) =>
      (await answers(url, '/metrics')).text.split('\n').filter((line) => line.startsWith('# TYPE'))
    expect(await series(published.url)).toEqual(await series(source.url))
    for (const { child } of [source, published]) child.kill('SIGTERM')
    expect(await Promise.all([ended(source.child), ended(published.child)])).toEqual(
      Array(2).fill({ exitCode: 0, signal: undefined, stderr: '' }),
    )
    const warmed = await execa(process.execPath, [join(app, 'warmUp.js')], { cwd: app, env: { PATH }, extendEnv: false })
    expect(warmed.stdout).toMatch(/"listening".*"closing"/s)
  })
})

describe.concurrent('a start', () => {
  it('says in one line what it is and where it listens', async () => {
    const { lines, url } = await listening({ DEVOPSAPI_VERSION: 'v9', DEVOPSAPI_ROLE: 'canary', HOST: '127.0.0.1' })
    expect(lines).toEqual([
      {
        level: 30,
        time: expect.any(Number),
        msg: 'listening',
        version: 'v9',
        role: 'canary',
        address: url.slice(7),
        node: process.version,
        startMs: expect.any(Number),
      },
    ])
    expect(await (await fetch(`${url}/version`)).text()).toBe('{"version":"v9"}')
    expect(lines).toHaveLength(1)
  })

  it('answers on every address, of both families where there are both', async () => {
    const { lines, port } = await listening({ LOG_LEVEL: 'debug' })
    const loopback = Object.values(networkInterfaces()).flatMap(
      (addresses) => addresses?.filter(({ internal }) => internal) ?? [],
    )
    expect(loopback.length).toBeGreaterThan(0)
    for (const { address, family } of loopback) {
      const reply = await fetch(`http://${family === 'IPv6' ? `[${address}]` : address}:${port}/version`)
      expect([address, reply.status]).toEqual([address, 200])
    }
    await until(() => lines.length === 1 + loopback.length)
    expect(lines.slice(1).map(({ ip }) => ip)).toEqual(loopback.map(({ address }) => address))
    const hasIPv6 = loopback.some(({ family }) => family === 'IPv6')
    if (hasIPv6) expect(lines[0]?.address).toBe(`[::]:${port}`)
  })

  it('is refused with one line for a bad environment', async () => {
    const { child } = start({ FAULT_ERROR_RATE: '20%' })
    expect(await ended(child)).toEqual({
      exitCode: 1,
      signal: undefined,
      stderr: 'devops-api cannot start: FAULT_ERROR_RATE is "20%": it must be a number from 0 to 1',
    })
  })

  it('is refused with one line where the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    for (const [env, where] of [
      [{ HOST: '127.0.0.1' }, '127.0.0.1'],
      [{}, 'this machine'],
    ] as const) {
      const { child } = start({ PORT: `${port}`, ...env })
      expect(await ended(child)).toEqual({
        exitCode: 1,
        signal: undefined,
        stderr: `devops-api cannot start: PORT is ${port}: another process listens there on ${where}; choose a free one`,
      })
    }
    other.close()
  })

  it.each(['192.0.2.1', 'fe80::1', 'a\nb'])(
    'is refused with one line where the host is none of this machine: %j',
    async (HOST) => {
      const { expect } = await import('vitest')
      expect(await ended(start({ HOST }).child)).toMatchObject({
        exitCode: 1,
        stderr: `devops-api cannot start: HOST is ${JSON.stringify(HOST)}: it must be an address of this machine`,
      })
    },
  )
})

describe.concurrent('a request', () => {
  it('has a log line at debug, unless it is a probe', async () => {
    const { lines, url } = await listening({ LOG_LEVEL: 'debug' })
    for (const path of ['/livez', '/readyz', '/version']) await fetch(`${url}${path}`)
    await until(() => lines.length === 2)
    expect(lines[1]).toMatchObject({ level: 20, msg: 'request', method: 'GET', url: '/version', status: 200 })
  })

  it.each([
    ['head', 'GET /version HTTP/1.1\r\nHost:'],
    ['body', 'POST /version HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n1234'],
  ])('whose %s does not end is a 408', async (_, beginning) => {
    const { port } = await listening({ DEVOPSAPI_VERSION: 'v9' })
    const { socket, received, closed } = await dial(port)
    const started = performance.now()
    socket.write(beginning)
    await closed
    expect(received()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
    expect(received()).toContain('app-version: v9\r\n')
    expect(received()).toContain('{"statusCode":408,"error":"Request Timeout","message":')
    expect(performance.now() - started).toBeLessThan(15_000)
  })

  it('that does not begin keeps its connection, as one between two requests does', async () => {
    const { port } = await listening()
    const unused = await dial(port)
    const slow = await dial(port)
    slow.socket.write('GET /version HTTP/1.1\r\nHost:')
    await slow.closed
    // Another slow one, which shows that the service has looked again since.
    const slower = await dial(port)
    slower.socket.write('GET /version HTTP/1.1\r\nHost:')
    await slower.closed
    unused.socket.write(get('/version'))
    await until(() => unused.received().endsWith('}'))
    expect(unused.received()).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    unused.socket.write('GET /version HTTP/1.1\r\nHost:')
    await unused.closed
    expect(unused.received()).toContain('HTTP/1.1 408 Request Timeout\r\n')
  })

  it('that does not come is not waited for longer than KEEP_ALIVE_TIMEOUT_MS, be it the first or the next', async () => {
    const { port } = await listening({ KEEP_ALIVE_TIMEOUT_MS: '1000' })
    const [used, unused] = [await dial(port), await dial(port)]
    used.socket.write(get('/version'))
    await Promise.all([used.closed, unused.closed])
    expect(used.received()).toContain('Keep-Alive: timeout=1\r\n')
    expect(unused.received()).toBe('')
  })

  it('may come an hour after the last', async () => {
    const { port } = await listening()
    const reply = await replyTo(port, get('/version'))
    const [, seconds] = /Keep-Alive: timeout=(\d+)/.exec(reply) ?? []
    expect(Number(seconds)).toBeGreaterThan(3600)
  })

  it('that is no HTTP is a 400, with too large a header a 431', async () => {
    const { port } = await listening({ DEVOPSAPI_VERSION: 'v9' })
    for (const [text, status] of [
      ['hello\r\n\r\n', '400 Bad Request'],
      [`GET / HTTP/1.1\r\nHost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, '431 Request Header Fields Too Large'],
    ] as const) {
      const { socket, received, closed } = await dial(port)
      socket.write(text)
      await closed
      expect(received()).toMatch(new RegExp(`^HTTP/1\\.1 ${status}\r\n`))
      expect(received()).toContain('app-version: v9\r\n')
    }
  })

  it.each([
    ['without', '', 'a Host header is required'],
    ['with two', 'Host: a\r\nHost: b\r\n', 'the Host header is \\"a, b\\": it must be one host, perhaps with a port'],
    ['with the same twice', 'Host: a\r\nHost: a\r\n', 'the Host header is \\"a, a\\"'],
    ['with something else', 'Host: http://a/\r\n', 'the Host header is \\"http://a/\\"'],
  ])('%s in place of one Host is a 400', async (_, headers, message) => {
    const { port } = await listening({ DEVOPSAPI_VERSION: 'v9' })
    const reply = await replyTo(port, `GET /version HTTP/1.1\r\n${headers}\r\n`)
    expect(reply).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(reply).toContain('app-version: v9\r\n')
    expect(reply).toContain(message)
  })

  it('is answered for every Host that is one', async () => {
    const { port } = await listening()
    for (const host of ['a', 'xn--bcher-kva.example:80', 'my_service', '127.0.0.1:8080', '[::1]', '[fd00::1]:8080', '']) {
      const reply = await replyTo(port, `GET /version HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      expect([host, reply]).toEqual([host, expect.stringMatching(/^HTTP\/1\.1 200 OK\r\n/)])
    }
  })

  it.each(['QUERY', 'BREW', 'CONNECT'])('with the method %s is a 405, or a 404', async (method) => {
    const { port, lines } = await listening({ DEVOPSAPI_VERSION: 'v9' })
    for (const [path, status] of [
      ['/version?now', '405 Method Not Allowed\r\n'],
      ['/nowhere', '404 Not Found\r\n'],
    ] as const) {
      const reply = await replyTo(port, `${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
      expect(reply).toMatch(new RegExp(`^HTTP/1\\.1 ${status}`))
      expect(reply).toContain('app-version: v9\r\n')
      expect(reply.includes('allow: GET, HEAD\r\n')).toBe(status.startsWith('405'))
    }
    expect(lines).toHaveLength(1)
  })

  it.each([
    ['GET', '200 OK', ''],
    ['GET', '200 OK', 'Content-Type: text/plain\r\n'],
    ['POST', '405 Method Not Allowed', 'Content-Type: text/plain\r\n'],
    ['QUERY', '405 Method Not Allowed', ''],
  ])('of %s with a chunked body of no bytes has no body, and is a %s', async (method, status, headers) => {
    const { port } = await listening()
    const reply = await replyTo(
      port,
      `${method} /version HTTP/1.1\r\nHost: a\r\n${headers}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    )
    expect(reply).toMatch(new RegExp(`^HTTP/1\\.1 ${status}\r\n`))
    expect(reply.toLowerCase()).not.toContain('connection: close')
  })

  it.each([
    ['declared', 'Content-Length: 600000\r\nContent-Type: text/plain\r\n\r\n', 'x'.repeat(600_000), 415],
    ['chunked', 'Transfer-Encoding: chunked\r\n\r\n', `${`fa00\r\n${'x'.repeat(64_000)}\r\n`.repeat(8)}0\r\n\r\n`, 413],
  ])('with a %s body can send it all, reads the refusal and is hung up on', async (_kind, headers, body, status) => {
    const { port, url } = await listening()
    const { socket, received, closed } = await dial(port)
    const half = body.length / 2
    socket.write(`POST /version HTTP/1.1\r\nHost: a\r\n${headers}${body.slice(0, half)}`)
    await until(() => socket.writableLength === 0)
    await (await fetch(`${url}/version`)).text()
    expect(received()).toBe('')
    socket.write(body.slice(half))
    await closed
    expect(received()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(received()).toContain('connection: close\r\n')
  })

  it('with an endless body is cut off', async () => {
    const { port } = await listening()
    const { socket, received, closed } = await dial(port)
    socket
      .on('error', () => {})
      .write(`POST /version HTTP/1.1\r\nHost: a\r\nContent-Length: 900000000\r\n\r\n${'x'.repeat(1_500_000)}`)
    await closed
    expect(received()).toMatch(/^HTTP\/1\.1 413 /)
  })

  it('that asks before it sends a body is told no at once', async () => {
    const { port } = await listening()
    const { socket, received, closed } = await dial(port)
    socket.write('POST /version HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n')
    await closed
    expect(received()).toMatch(/^HTTP\/1\.1 413 /)
  })
})

describe.concurrent('a client that does not read', () => {
  it('cannot have more than a few requests wait', async () => {
    const { port } = await listening()
    const few = await dial(port)
    few.socket.write(get('/').repeat(11))
    await until(() => few.received().split('HTTP/1.1 200 OK\r\n').length === 12)
    const many = await dial(port)
    many.socket.on('error', () => {}).write(get('/').repeat(1000))
    await many.closed
    expect(many.received()).toBe('')
  })
})

describe.concurrent.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  it('ends an idle service with exit code 0, without waiting for clients to hang up', async () => {
    const { child, port, lines } = await listening()
    const { socket, received } = await dial(port)
    socket.write(get('/version'))
    await until(() => received().endsWith('}'))
    const started = performance.now()
    child.kill(signal)
    expect(await ended(child)).toMatchObject({ exitCode: 0 })
    expect(performance.now() - started).toBeLessThan(5_000) // after 8 s it is cut off
    expect(lines.at(-1)).toMatchObject({ level: 30, msg: 'closing', signal })
  })

  it('lets a reply under way finish, and closes its connection', async () => {
    const { child, port, lines } = await listening({ FAULT_DELAY_MS: '60000', LOG_LEVEL: 'debug' })
    const { socket, received, closed } = await dial(port)
    socket.write(get('/version'))
    // A second reply on another connection shows that the first request has been read by then.
    const other = await dial(port)
    other.socket.write(get('/openapi.json'))
    await until(() => lines.some(({ url }) => url === '/openapi.json'))
    child.kill(signal)
    await closed
    expect(received()).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(received()).toContain('connection: close\r\n')
    expect(received()).toContain('{"version":"v1.1.1"}')
    expect(await ended(child)).toMatchObject({ exitCode: 0 })
  })

  it('ends listening, goes on serving what arrives on open connections, and says goodbye', async () => {
    const { child, port } = await listening()
    const { socket, received, closed } = await dial(port)
    child.kill(signal)
    await vi.waitFor(async () => expect(await isRefused(port)).toBe(true), { timeout: 120_000, interval: 2 })
    socket.write(get('/version'))
    await closed
    expect(received()).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(received().toLowerCase()).toContain('connection: close\r\n')
    expect(await ended(child)).toMatchObject({ exitCode: 0 })
  })
})

describe.concurrent('stopping', () => {
  it('does not wait for a slow client longer than 10 s', async () => {
    const { child, port } = await listening()
    const { socket } = await dial(port)
    socket.on('error', () => {}).write('POST /version HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n')
    const started = performance.now()
    child.kill('SIGTERM')
    expect(await ended(child)).toMatchObject({ exitCode: 0 })
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  it('is over at once with a second signal', async () => {
    const { child, port, lines } = await listening()
    const { socket } = await dial(port)
    socket.on('error', () => {}).write('POST /version HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n')
    child.kill('SIGTERM')
    await until(() => lines.at(-1)?.msg === 'closing')
    child.kill('SIGINT')
    expect(await ended(child)).toMatchObject({ exitCode: 1 })
    expect(lines.at(-1)).toMatchObject({ level: 50, msg: 'second SIGINT, exiting' })
  })

  it('follows an uncaught error, which is logged as fatal, with exit code 1', async () => {
    const bomb = 'data:text/javascript,process.stdin.once("data", () => { throw new Error("boom") })'
    const { child, lines } = await listening({}, ['--import', bomb])
    child.stdin.write('now')
    expect(await ended(child)).toMatchObject({ exitCode: 1 })
    expect(lines.find(({ level }) => level === 60)).toMatchObject({ msg: 'uncaught error', err: { message: 'boom' } })
  })
})

describe('an injected crash', () => {
  it('ends the process at once, with exit code 1 and what was under way', async () => {
    const { child, lines, port } = await listening({ FAULT_CRASH_AFTER_MS: '2000', FAULT_DELAY_MS: '60000' })
    const { socket, received, closed } = await dial(port)
    socket.on('error', () => {}).write(get('/version'))
    expect(await ended(child)).toEqual({ exitCode: 1, signal: undefined, stderr: '' })
    await closed
    expect(received()).toBe('')
    expect(lines.at(-1)).toMatchObject({ level: 60, msg: 'injected fault: crash' })
  })

  it('does not come to a service that stops before', async () => {
    const { child } = await listening({ FAULT_CRASH_AFTER_MS: '600000' })
    child.kill('SIGTERM')
    expect(await ended(child)).toMatchObject({ exitCode: 0 })
  })
})
