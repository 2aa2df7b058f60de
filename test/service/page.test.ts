import { createHash } from 'node:crypto'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApp } from '../../src/service/app.ts'

const env = { DEVOPSAPI_VERSION: 'v1.1.1', DEVOPSAPI_ROLE: 'stable', LOG_LEVEL: 'silent' }
let app: FastifyInstance

beforeAll(async () => {
  app = await buildApp(env)
})
afterAll(() => app.close())

const get = (encodings?: string) =>
  app.inject({ url: '/', headers: encodings === undefined ? {} : { 'accept-encoding': encodings } })

describe('GET /', () => {
  it('is one HTML document below 45 kB that needs no other', async () => {
    const { statusCode, headers, body, rawPayload } = await get()
    expect(statusCode).toBe(200)
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-length': `${rawPayload.length}`,
      'cache-control': 'no-store',
      'app-version': 'v1.1.1',
      'app-role': 'stable',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    })
    expect(rawPayload.length).toBeLessThan(45_000)
    expect(body).toMatch(/^<!doctype html>/)
    expect(body.match(/\b(?:src|href|action)=(?!"data:)|@import|url\(/g)).toBeNull()
  })

  it('allows its own style and script and nothing else', async () => {
    const { headers, body } = await get()
    const source = (tag: string) => {
      const [, content = ''] = new RegExp(`<${tag}>(.*?)</${tag}>`, 's').exec(body) ?? []
      expect(content.length).toBeGreaterThan(1000)
      return `'sha256-${createHash('sha256').update(content).digest('base64')}'`
    }
    expect(`${headers['content-security-policy']}`.split('; ')).toEqual([
      "default-src 'none'",
      `style-src ${source('style')}`,
      `script-src ${source('script')}`,
      'img-src data:',
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ])
  })

  it.each([
    ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['br;q=0, gzip;q=0.5', 'gzip', gunzipSync],
  ])('is compressed for a client that accepts %s', async (accepted, encoding, decompress) => {
    const { headers, rawPayload } = await get(accepted)
    expect(headers).toMatchObject({
      'content-encoding': encoding,
      vary: 'accept-encoding',
      'content-length': `${rawPayload.length}`,
    })
    const plain = await get()
    expect(decompress(rawPayload).equals(plain.rawPayload)).toBe(true)
    expect(rawPayload.length).toBeLessThan(plain.rawPayload.length / 2)
  })

  it.each([undefined, 'identity', 'gzip;q=0', 'zstd'])('is sent as it is to a client that accepts %s', async (accepted) => {
    const { headers, body } = await get(accepted)
    expect(headers).toHaveProperty('vary', 'accept-encoding')
    expect(headers).not.toHaveProperty('content-encoding')
    expect(body).toContain('</html>')
  })

  it('is not struck by faults, so that a bad version can be watched', async () => {
    const bad = await buildApp({ ...env, FAULT_ERROR_RATE: '1' })
    expect((await bad.inject('/version')).statusCode).toBe(500)
    expect((await bad.inject('/')).statusCode).toBe(200)
    await bad.close()
  })
})
