import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { poll } from './cluster.ts'
import { Load, RATE } from './load.ts'

const good: RequestListener = (_, response) => {
  response.writeHead(200, { 'app-version': 'v1', 'app-role': 'stable' }).end('{"version":"v1"}')
}

async function loadOn(listener: RequestListener, expected = () => ['200 stable v1']) {
  const server = createServer(listener)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const load = new Load(expected, { host: '127.0.0.1', port })
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

it('Who was asked before a change may still answer, and nobody who was asked after it', async () => {
  let answers = ['200 stable v1']
  const held: (() => void)[] = []
  let isHeld = true
  const load = await loadOn(
    (request, response) => {
      const answer = () => good(request, response)
      if (isHeld) held.push(answer)
      else answer()
    },
    () => answers,
  )
  await poll(async () => expect(held.length).toBeGreaterThan(RATE / 10))
  answers = ['200 stable v2']
  const changedAt = performance.now()
  isHeld = false
  for (const answer of held) answer()
  await load.next(RATE, ({ sentAt }) => sentAt > changedAt)
  await load.stop()
  const isBefore = ({ sentAt }: { sentAt: number }) => sentAt < changedAt
  expect(new Set(load.replies.filter(isBefore).map(({ expected }) => expected))).toEqual(new Set([true]))
  expect(new Set(load.replies.filter((reply) => !isBefore(reply)).map(({ expected }) => expected))).toEqual(new Set([false]))
})
