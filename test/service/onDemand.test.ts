import type { FastifyInstance } from 'fastify'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { buildApp } from '../../src/service/app.ts'

/** Whether files can be opened and modules loaded, by the path that needs it. */
const works = vi.hoisted(() => ({ '/': true, '/metrics': true, '/openapi.json': true }))
const unless = vi.hoisted(() => (isFine: boolean) => {
  if (!isFine) throw new Error('EMFILE: too many open files')
})

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs/promises')>()
  const readFile = async (...args: Parameters<typeof original.readFile>) => {
    unless(works['/'])
    return original.readFile(...args)
  }
  return { ...original, readFile }
})
vi.mock('prom-client', async (importOriginal) => {
  const original = await importOriginal<typeof import('prom-client')>()
  const collectDefaultMetrics = (...args: Parameters<typeof original.collectDefaultMetrics>) => {
    unless(works['/metrics'])
    original.collectDefaultMetrics(...args)
  }
  return { ...original, collectDefaultMetrics }
})
vi.mock('@fastify/swagger', async (importOriginal) => {
  const { default: original } = await importOriginal<typeof import('@fastify/swagger')>()
  const swagger: typeof original = (...args) => {
    unless(works['/openapi.json'])
    return original(...args)
  }
  return { default: Object.assign(swagger, original) }
})

const env = { DEVOPSAPI_VERSION: 'v1.1.1', DEVOPSAPI_ROLE: 'stable', LOG_LEVEL: 'silent' }
let app: FastifyInstance
afterEach(() => app.close())

describe.each(Object.keys(works) as (keyof typeof works)[])('what GET %s loads at its first request', (url) => {
  it('fails alone where it cannot be loaded, and is there as soon as it can', async () => {
    app = await buildApp(env)
    works[url] = false
    // Those that wait for one load, and one that comes after it.
    const failed = [...(await Promise.all([app.inject(url), app.inject(url)])), await app.inject(url)]
    for (const { statusCode, headers, body } of failed) {
      expect(statusCode).toBe(500)
      expect(headers).toMatchObject({ 'app-version': 'v1.1.1', 'content-type': 'application/json; charset=utf-8' })
      expect(JSON.parse(body)).toEqual({
        statusCode: 500,
        error: 'Internal Server Error',
        message: 'unexpected error; the log tells more',
      })
    }
    works[url] = true
    expect((await app.inject(url)).statusCode).toBe(200)
    expect((await app.inject('/version')).statusCode).toBe(200)
  })
})
