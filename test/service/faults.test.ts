import { type AddressInfo, connect } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { buildApp } from '../../src/service/app.ts'
import { drawDelay } from '../../src/service/faults.ts'
import { seeded } from '../seeded.ts'

describe('an injected delay', () => {
  it('has the median and the 99th percentile that were asked for', () => {
    const random = seeded(1)
    const delays = Array.from({ length: 200_000 }, () => drawDelay(50, 800, random)).toSorted((a, b) => a - b)
    expect(delays[100_000]).toBeGreaterThan(49)
    expect(delays[100_000]).toBeLessThan(51)
    expect(delays[198_000]).toBeGreaterThan(770)
    expect(delays[198_000]).toBeLessThan(830)
  })

  it('is never more than 10 times the 99th percentile', () => {
    const numbers = [1 - 1e-12, 0]
    expect(drawDelay(50, 800, () => numbers.shift() ?? 0)).toBe(8000)
  })

  it('is constant without a 99th percentile', () => {
    const random = seeded(2)
    expect(new Set(Array.from({ length: 100 }, () => drawDelay(50, undefined, random)))).toEqual(new Set([50]))
  })

  it('is part of the duration in the metrics', async () => {
    const app = await buildApp({ FAULT_DELAY_MS: '40', LOG_LEVEL: 'silent' })
    await app.inject('/version')
    const { body } = await app.inject('/metrics')
    const sum = Number(/^http_request_duration_seconds_sum\{.*route="\/version".*\} (.*)$/m.exec(body)?.[1])
    expect(sum).toBeGreaterThan(0.039) // a timer may be early by a fraction of a millisecond
    expect(sum).toBeLessThan(30)
    await app.close()
  })

  it('delays the public route, and neither probes nor metrics', async () => {
    const app = await buildApp({ FAULT_DELAY_MS: '60000', LOG_LEVEL: 'silent' })
    const delayed = app.inject('/version')
    for (const url of ['/livez', '/readyz', '/metrics']) expect((await app.inject(url)).statusCode).toBe(200)
    await app.close()
    // Closing cuts the delay short, so that it cannot turn into a lost request.
    expect((await delayed).body).toBe('{"version":"v1.1.1"}')
  })
})

describe('an injected error', () => {
  it('strikes each request with the probability asked for', async () => {
    const app = await buildApp({ FAULT_ERROR_RATE: '0.2', LOG_LEVEL: 'silent' })
    const count = 5000
    let failed = 0
    for (let i = 0; i < count; i++) if ((await app.inject('/version')).statusCode === 500) failed++
    const fiveSigma = 5 * Math.sqrt(0.2 * 0.8 * count)
    expect(Math.abs(failed - 0.2 * count)).toBeLessThan(fiveSigma)
    await app.close()
  })

  it('has the status asked for and says that it was injected, and is no news to the log', async () => {
    const app = await buildApp({
      FAULT_ERROR_RATE: '1',
      FAULT_ERROR_STATUS: '503',
      LOG_LEVEL: 'silent',
      DEVOPSAPI_ROLE: 'canary',
    })
    const logged: unknown[] = []
    app.logger.error = (...line: unknown[]) => logged.push(line)
    const reply = await app.inject('/version')
    expect(reply.statusCode).toBe(503)
    expect(reply.json()).toEqual({ statusCode: 503, error: 'Service Unavailable', message: 'injected fault' })
    expect(reply.headers).toMatchObject({ 'app-role': 'canary', 'app-version': 'v1.1.1' })
    for (const url of ['/livez', '/readyz', '/metrics', '/openapi.json']) expect((await app.inject(url)).statusCode).toBe(200)
    expect((await app.inject('/nowhere')).statusCode).toBe(404)
    expect(logged).toEqual([])
    await app.close()
  })
})

describe('an injected reset', () => {
  it('cuts the connection in the middle of a share of the replies', async () => {
    const app = await buildApp({ FAULT_RESET_RATE: '0.5', LOG_LEVEL: 'silent' })
    await app.listen({ host: '127.0.0.1', port: 0 })
    const ask = async (path: string) => {
      const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1').setEncoding('latin1')
      let [received, ended] = ['', 'in good order']
      socket.on('data', (text) => {
        received += text
      })
      socket.on('error', ({ code }: NodeJS.ErrnoException) => {
        ended = `${code}`
      })
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
      await new Promise((resolve) => socket.on('close', resolve))
      const [head = '', body = ''] = received.split('\r\n\r\n')
      return {
        status: head.split(' ')[1],
        length: /content-length: (\d+)/.exec(head)?.[1],
        version: /app-version: (\S+)/.exec(head)?.[1],
        body,
        ended,
      }
    }
    const half = { status: '200', length: '20', version: 'v1.1.1', body: '{"version"', ended: 'ECONNRESET' }
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.49)
    expect(await ask('/version')).toEqual(half)
    for (const path of ['/livez', '/readyz', '/'])
      expect(await ask(path)).toMatchObject({ status: '200', ended: 'in good order' })
    random.mockReturnValue(0.5)
    expect(await ask('/version')).toEqual({ ...half, body: '{"version":"v1.1.1"}', ended: 'in good order' })
    random.mockRestore()
    // The service itself does not see what becomes of its replies.
    expect((await ask('/metrics')).body).toMatch(/_count\{method="GET",route="\/version",status="200",version="v1.1.1"\} 2$/m)
    await app.close()
  })
})

describe('an injected leak', () => {
  it('takes memory for good, until the end', async () => {
    const before = process.memoryUsage().arrayBuffers
    const app = await buildApp({ FAULT_LEAK_MIB_PER_S: '100', LOG_LEVEL: 'silent' })
    await expect.poll(() => process.memoryUsage().arrayBuffers - before).toBeGreaterThan(30 * 1024 ** 2)
    expect((await app.inject('/livez')).statusCode).toBe(200)
    await app.close()
  })
})
