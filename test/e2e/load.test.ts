import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { Load, RATE } from './load.ts'

const good: RequestListener = (_, response) => {
  response.writeHead(200, { 'app-version': 'v1', 'app-role': 'stable' }).end('{"version":"v1"}')
}

async function loadOn(listener: RequestListener) {
  const server = createServer(listener)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const load = new Load((answer) => answer === '200 stable v1', { host: '127.0.0.1', port })
  load.start()
  return load
}

it('The load sees every kind of loss, on either kind of connection', async () => {
  const faults: RequestListener[] = [
    (request) => request.socket.destroy(),
    (_, response) => response.writeHead(503).end('no server'),
    (_, response) => response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy()),
    (_, response) => response.writeHead(200, { 'app-version': 'v2', 'app-role': 'stable' }).end('{"version":"v1"}'),
    () => {},
  ]
  const left = { 'keep-alive': [good, ...faults], close: [good, ...faults] }
  const load = await loadOn((request, response) => {
    const listener = left[request.headers.connection as 'close'].shift() ?? good
    listener(request, response)
  })
  await load.next(2 * RATE)
  await load.stop()
  const lost = load.replies.filter(({ expected }) => !expected).map(({ answer }) => answer)
  expect(lost.sort()).toEqual([
    ...['200 stable {"version":"v1"}', '200 stable {"version":"v1"}'],
    ...['503 nobody no server', '503 nobody no server'],
    ...['ECONNRESET', 'ECONNRESET', 'ECONNRESET', 'ECONNRESET'],
    ...['nothing within 10000 ms', 'nothing within 10000 ms'],
  ])
  expect(() => load.expectNothingLost()).toThrow(
    /^10 of \d+ replies are missing or wrong:\n {2}at 0\.\d{3} s: .* in "The load sees every kind of loss/,
  )
})
