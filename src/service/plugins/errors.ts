import type { Socket } from 'node:net'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

/** An error that is an answer: Fastify sends it as `{statusCode, error, message}`, and its message is meant for the client. */
export class HttpError extends Error {
  readonly statusCode: number
  /** Set by Fastify: the name of the status. */
  declare readonly error: string

  constructor(statusCode: number, message: string) {
    super(message)
    this.statusCode = statusCode
  }

  toJSON() {
    const { statusCode, error, message } = this
    return { statusCode, error, message }
  }
}

// What Node's parser gives up on, before there is a request.
const parserErrors: Record<string, [statusCode: number, error: string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large'],
}

/** Options of Fastify for errors that come before any hook or handler could run. */
export const earlyErrors = {
  frameworkErrors({ statusCode = 500, message }: FastifyError, request: FastifyRequest, reply: FastifyReply) {
    reply.headers(request.server.identity).send(new HttpError(statusCode, message))
  },

  clientErrorHandler(this: FastifyInstance, { code = '', message }: NodeJS.ErrnoException, socket: Socket) {
    if (socket.writable) {
      const [statusCode, error] = parserErrors[code] ?? [400, 'Bad Request']
      const payload = JSON.stringify({ statusCode, error, message })
      const headers = {
        ...this.identity,
        'content-type': 'application/json; charset=utf-8',
        'content-length': Buffer.byteLength(payload),
        date: new Date().toUTCString(),
        connection: 'close',
      }
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      socket.write(`HTTP/1.1 ${statusCode} ${error}\r\n${lines.join('')}\r\n${payload}`)
    }
    socket.destroySoon()
  },
}

/** Answers 405 on a path that exists, 404 on another. */
export function notFound(this: FastifyInstance, request: FastifyRequest, reply: FastifyReply): never {
  const [path = ''] = request.url.split('?', 1)
  if (!this.hasRoute({ method: 'GET', url: path })) throw new HttpError(404, `there is no ${path} here`)
  reply.header('allow', 'GET, HEAD')
  throw new HttpError(405, `${path} answers GET and HEAD, not ${request.method}`)
}

/** Logs an error that nobody meant to send, and keeps its message from the client. */
export const errors = fp(async (app) => {
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof HttpError) return reply.send(error)
    app.logger.error({ err: error, method: request.method, url: request.url }, 'unexpected error')
    return reply.send(new HttpError(500, 'unexpected error; the log tells more'))
  })
})
