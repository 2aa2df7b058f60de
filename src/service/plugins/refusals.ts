import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import { answer, HttpError, unmatched } from './errors.ts'

/** Bytes of an unwanted body that are read away, so that its sender gets to read the refusal instead of a reset connection. */
const MAX_DISCARDED_BYTES = 1024 * 1024

/** Requests that may wait on one connection for the replies before theirs: those of a client that reads none would fill the memory. */
const MAX_WAITING = 10

/** A host name or address, perhaps with a port, or nothing (RFC 9110, 7.2); several that were joined have a space. */
const hostAndPort = /^([\w.~!$&'()*+,;=%-]*|\[[\w:.]+\])(:\d*)?$/

/** Refuses, before any route, what no route here accepts: a bad Host (400), and a body (415 when it has a media type, else 413). */
export const refusals = fp(async (app) => {
  // Left alone, Node tells a client that asks before it sends its body to go ahead, or answers 417 by itself.
  for (const event of ['checkContinue', 'checkExpectation']) {
    app.server.on(event, (request, response) => app.server.emit('request', request, response))
  }
  // CONNECT it would not answer at all.
  app.server.on('connect', ({ method = '', url = '' }, socket: Socket) => {
    socket.on('error', () => {})
    answer(app, socket, unmatched(app, method, url))
  })

  const waiting = new WeakMap<Socket, number>()
  const wait = (socket: Socket, change: 1 | -1) => {
    const count = (waiting.get(socket) ?? 0) + change
    waiting.set(socket, count)
    if (count > MAX_WAITING) socket.destroy()
  }

  app.addHook('onRequest', (request, reply, done) => {
    const { headers, httpVersion, socket } = request.raw
    // Node gives a reply its socket when its turn comes.
    if (reply.raw.socket === null) {
      reply.raw.once('socket', () => wait(socket, -1))
      wait(socket, 1)
      if (socket.destroyed) return
    }
    if (headers.host === undefined && httpVersion === '1.1') {
      done(new HttpError(400, 'a Host header is required'))
      return
    }
    if (headers.host !== undefined && !hostAndPort.test(headers.host)) {
      done(new HttpError(400, `the Host header is ${JSON.stringify(headers.host)}: it must be one host, perhaps with a port`))
      return
    }
    const mayHaveBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
    if (!mayHaveBody) {
      done()
      return
    }

    const refuse = () => {
      reply.header('connection', 'close')
      const type = headers['content-type']
      done(
        type === undefined
          ? new HttpError(413, 'a request body is not accepted: the limit is 0 bytes')
          : new HttpError(415, `a request body is not accepted, of type ${type} or any other`),
      )
    }
    if (headers.expect !== undefined) {
      refuse()
      return
    }
    let received = 0
    const end = () => {
      request.raw.off('data', discard).off('end', end)
      if (received > 0) refuse()
      else done()
    }
    const discard = (chunk: Buffer) => {
      received += chunk.length
      if (received > MAX_DISCARDED_BYTES) end()
    }
    request.raw.on('data', discard).on('end', end)
  })
})
