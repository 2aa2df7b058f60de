import fp from 'fastify-plugin'
import { HttpError } from './errors.ts'

/** Bytes of an unwanted body that are read away, so that its sender gets to read the refusal instead of a reset connection. */
const MAX_DISCARDED_BYTES = 1024 * 1024

/** Refuses, before any route, what no route here accepts: a missing Host (400), and a body (415 when it has a media type, else 413). */
export const refusals = fp(async (app) => {
  // Left alone, Node tells a client that asks before it sends its body to go ahead, or answers 417 by itself.
  for (const event of ['checkContinue', 'checkExpectation']) {
    app.server.on(event, (request, response) => app.server.emit('request', request, response))
  }

  app.addHook('onRequest', (request, reply, done) => {
    const { headers, httpVersion } = request.raw
    if (headers.host === undefined && httpVersion === '1.1') {
      done(new HttpError(400, 'a Host header is required'))
      return
    }
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
    if (!hasBody) {
      done()
      return
    }

    reply.header('connection', 'close')
    const type = headers['content-type']
    const refusal =
      type === undefined
        ? new HttpError(413, 'a request body is not accepted: the limit is 0 bytes')
        : new HttpError(415, `a request body is not accepted, of type ${type} or any other`)
    if (headers.expect !== undefined) {
      done(refusal)
      return
    }
    let received = 0
    const refuse = () => {
      request.raw.off('data', discard).off('end', refuse)
      done(refusal)
    }
    const discard = (chunk: Buffer) => {
      received += chunk.length
      if (received > MAX_DISCARDED_BYTES) refuse()
    }
    request.raw.on('data', discard).on('end', refuse)
  })
})
