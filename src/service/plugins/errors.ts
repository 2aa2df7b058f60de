import type { Socket } from 'node:net'
import type { ConnectionError, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

// An `import` of node:http reads all that it exports, and so loads Node's own fetch and WebSocket, a tenth of the start.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

/** An error that is an answer: Fastify sends it as `{statusCode, error, message}`, and its message is meant for the client. */
export class HttpError extends Error {
  readonly statusCode: number
  /** Sent by Fastify beside those of every reply. */
  readonly headers: Record<string, string>
  /** Set by Fastify: the name of the status. */
  declare readonly error: string

  constructor(statusCode: number, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.statusCode = statusCode
    this.headers = headers
  }

  toJSON() {
    const { statusCode, error, message } = this
    return { statusCode, error, message }
  }
}

// What Node's parser gives up on, before there is a request; anything else is a 400.
const parserErrors: Record<string, number> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 }

/** The first line of a request whose method the parser does not know, though HTTP allows it (RFC 9110, 9.1). */
const requestLine = /^([\w!#$%&'*+.^`|~-]+) (\S+) HTTP\/1\.[01]\r\n/

/** Options of Fastify for errors that come before any hook or handler could run. */
export const earlyErrors = {
  frameworkErrors({ statusCode = 500, message }: FastifyError, request: FastifyRequest, reply: FastifyReply) {
    reply.headers(request.server.identity).send(new HttpError(statusCode, message))
  },

  clientErrorHandler(this: FastifyInstance, { code, message, rawPacket }: ConnectionError, socket: Socket) {
    // A gateway may open a connection before it has a request for it: that is idle, not slow.
    if (code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0) {
      socket.setTimeout(this.server.keepAliveTimeout)
      return
    }
    const [, method = '', url = ''] = (code === 'HPE_INVALID_METHOD' && requestLine.exec(`${rawPacket}`)) || []
    answer(this, socket, method ? unmatched(this, method, url) : new HttpError(parserErrors[code] ?? 400, message))
  },
}

/** Answers where there is no reply to do it with, and hangs up. */
export function answer(app: FastifyInstance, socket: Socket, { statusCode, message, headers }: HttpError): void {
  if (socket.writable) {
    const error = STATUS_CODES[statusCode]
    const payload = JSON.stringify({ statusCode, error, message })
    const lines = Object.entries({
      ...app.identity,
      ...headers,
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(payload),
      date: new Date().toUTCString(),
      connection: 'close',
    }).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`HTTP/1.1 ${statusCode} ${error}\r\n${lines.join('')}\r\n${payload}`)
  }
  socket.destroySoon()
}

/** What a request is answered with that no route takes: 405 on a path that exists, 404 on another. */
export function unmatched(app: FastifyInstance, method: string, url: string): HttpError {
  const [path = ''] = url.split('?', 1)
  if (!app.hasRoute({ method: 'GET', url: path })) return new HttpError(404, `there is no ${path} here`)
  return new HttpError(405, `${path} answers GET and HEAD, not ${method}`, { allow: 'GET, HEAD' })
}

/** Logs an error that nobody meant to send, and keeps its message from the client; what Fastify refuses is the client's to know. */
export const errors = fp(async (app) => {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    if (error instanceof HttpError) return reply.send(error)
    const { statusCode = 500, message } = error
    if (statusCode < 500) return reply.send(new HttpError(statusCode, message))
    app.logger.error({ err: error, method: request.method, url: request.url }, 'unexpected error')
    return reply.send(new HttpError(500, 'unexpected error; the log tells more'))
  })
})
