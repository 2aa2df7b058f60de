import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, describe, expect, it } from 'vitest'
import type { ClusterState } from '../../../src/canary/cluster/clusterState.ts'
import { WrongUse } from '../../../src/canary/errors.ts'
import { findTarget } from '../../../src/canary/promotion/findTarget.ts'
import { certificate } from './certificate.ts'

const servers: Server[] = []
afterAll(() => {
  for (const server of servers) server.close().closeAllConnections()
})

async function listening(server: Server, scheme = 'http'): Promise<URL> {
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  return new URL(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/version`)
}
const answering = (listener: RequestListener) => listening(createServer(listener))
const saying = (status: number, headers = {}) => answering((_, response) => response.writeHead(status, headers).end())
const service: RequestListener = (_, response) => response.end('{"version":"v1"}')

const { signal } = new AbortController()
const state = (...places: (URL | [URL, string])[]) =>
  ({
    names: { stable: 'devops-api-stable', canary: 'devops-api-canary' },
    addresses: places.map((place) =>
      Array.isArray(place) ? { url: place[0], host: place[1] } : { url: place, host: undefined },
    ),
    notAddresses: [],
  }) as unknown as ClusterState

describe('findTarget', () => {
  it('is the first place at which the route is answered for', async () => {
    const nobody = new URL('http://127.0.0.1:1/version')
    const [notFound, redirect, right] = [
      await saying(404),
      await saying(301, { location: 'https://x/' }),
      await answering(service),
    ]
    const target = await findTarget({}, state(nobody, notFound, redirect, [right, 'a.example']), signal)
    expect(target).toMatchObject({ url: right, headers: { host: 'a.example' } })
  })

  it.each([500, 502, 503, 504])('is a gateway that answers %i for a Service of the route', async (status) => {
    const url = await saying(status)
    expect((await findTarget({}, state(url), signal)).url).toBe(url)
  })

  it('is the place where the service answers, before one where only a gateway does', async () => {
    const [gateway, right] = [await saying(503), await answering(service)]
    expect((await findTarget({}, state(gateway, right), signal)).url).toBe(right)
  })

  it('is right where canary lets the first request wait for ever', async () => {
    let n = 0
    const url = await answering((request, response) => {
      if (n++ > 0) service(request, response as never)
    })
    expect((await findTarget({}, state(url), signal)).url).toBe(url)
  })

  it('is right where only one reply in ten is from the service', async () => {
    let n = 0
    const url = await answering((request, response) =>
      ++n % 10 === 0 ? service(request, response as never) : response.writeHead(404).end(),
    )
    expect((await findTarget({}, state(url), signal)).url).toBe(url)
  })

  it('is the first name that is answered, where another route has the others', async () => {
    const url = await answering((request, response) =>
      request.headers.host === 'c.example' ? service(request, response as never) : response.writeHead(404).end(),
    )
    const found = await findTarget({}, state([url, 'a.example'], [url, 'b.example'], [url, 'c.example']), signal)
    expect(found.headers).toEqual({ host: 'c.example' })
  })

  it('is looked for once at each place by the name that is given', async () => {
    const notFound = await saying(404)
    const error = await findTarget({ host: 'x.example' }, state([notFound, 'a.example'], [notFound, 'b.example']), signal).catch(
      (thrown: Error) => thrown.message,
    )
    expect(`${error}`.match(/as x\.example, nobody answers/g)).toHaveLength(1)
  })

  it('is not looked for by other names where nobody answers at all', async () => {
    let asked = 0
    const silent = await answering(() => asked++)
    const places = ['a.example', 'b.example'].map((host) => [silent, host] as [URL, string])
    await expect(findTarget({ timeout: 200 }, state(...places), signal)).rejects.toThrow(/as a\.example, .*: timeout: give --url/)
    expect(asked).toBeLessThanOrEqual(20)
  })

  it('is none where nobody answers for the route, and says what came instead', async () => {
    const notFound = await saying(404)
    await expect(findTarget({}, state([notFound, '*.x.example']), signal)).rejects.toThrow(
      `nobody knows where to ask, because at ${notFound.origin}, as *.x.example, nobody answers for the route: 404 without a version (no route takes this host name and path there): give --url, and --host`,
    )
    const wrong = findTarget({ url: notFound }, undefined, signal)
    await expect(wrong).rejects.toThrow('give another --url, or --host')
    await expect(wrong).rejects.toBeInstanceOf(WrongUse)
    const redirect = await saying(301, { location: 'https://x/' })
    await expect(findTarget({}, state(redirect), signal)).rejects.toThrow('301 to https://x/ (it only redirects to HTTPS): give')
    const limited = await saying(429)
    await expect(findTarget({}, state(limited), signal)).rejects.toThrow(
      '429 without a version (too many requests for a rate limit: lower --rate)',
    )
  })

  it('is none where no place is known', async () => {
    await expect(findTarget({}, undefined, signal)).rejects.toThrow('with --files-only there is no Gateway to ask')
    await expect(findTarget({}, state(), signal)).rejects.toThrow('there is no HTTPRoute devops-api-stable that names a Gateway')
    const without = { ...state(), notAddresses: ['Gateway g has no address in its status'] } as ClusterState
    await expect(findTarget({}, without, signal)).rejects.toThrow('because Gateway g has no address in its status: give --url')
  })

  describe('by HTTPS', () => {
    const names: string[] = []
    const secure = async (options: { key: Buffer; cert: Buffer }) =>
      listening(
        createSecureServer(
          {
            ...options,
            SNICallback: (name, done) => {
              names.push(name)
              done(null)
            },
          },
          service,
        ) as unknown as Server,
        'https',
      )

    it('asks with the host as the name that the certificate must be for, and of an authority that is trusted', async () => {
      const { key, cert } = await certificate('canary.example.com')
      const url = await secure({ key, cert })
      const find = (host: string) => findTarget({}, state([url, host]), signal)
      await expect(find('canary.example.com:443')).rejects.toThrow(
        'certificate refused (DEPTH_ZERO_SELF_SIGNED_CERT) (NODE_EXTRA_CA_CERTS',
      )
      const authorities = getCACertificates('default')
      setDefaultCACertificates([...authorities, `${cert}`])
      try {
        expect(await find('canary.example.com:443')).toMatchObject({ url, headers: { host: 'canary.example.com:443' } })
        await expect(find('another.example.com')).rejects.toThrow('certificate refused (ERR_TLS_CERT_ALTNAME_INVALID)')
        // An IP address is no name to ask a certificate for (RFC 6066).
        await expect(find('10.0.0.1')).rejects.toThrow('certificate refused (ERR_TLS_CERT_ALTNAME_INVALID)')
        expect([...new Set(names)]).toEqual(['canary.example.com', 'another.example.com'])
      } finally {
        setDefaultCACertificates(authorities)
      }
    })
  })
})
