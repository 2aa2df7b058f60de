import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { type Target, VersionClient } from '../../../src/canary/sampling/versionClient.ts'

/** Has a server listen until the test is finished. */
export async function listen<T extends Pick<Server, 'listen' | 'address' | 'close' | 'once'>>(server: T): Promise<URL> {
  server.listen(0, '127.0.0.1')
  await once(server as unknown as Server, 'listening')
  onTestFinished(() => void server.close())
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/version`)
}

export const serve = (listener: RequestListener) => listen(createServer(listener))

/** A client that is closed when the test is finished. */
export function client(url: URL, some: Partial<Target> = {}): VersionClient {
  const client = new VersionClient({ url, headers: {}, connections: 10, timeoutMs: 20_000, ...some })
  onTestFinished(() => client.close())
  return client
}

export const version = JSON.stringify({ version: 'v1' })
export const identity = { 'app-version': 'v1', 'app-role': 'stable', 'app-pod': 'pod-1' }
export const good: RequestListener = (_, response) => void response.writeHead(200, identity).end(version)
