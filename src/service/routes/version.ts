import type { FastifyInstance } from 'fastify'

/** `GET /version`: which version answers. The reply never changes while the process runs, so it is made once. */
export function version(app: FastifyInstance): void {
  const body = { version: app.config.DEVOPSAPI_VERSION }
  const payload = JSON.stringify(body)
  const schema = {
    summary: 'The version that answers',
    response: {
      200: {
        description: 'The value of DEVOPSAPI_VERSION',
        type: 'object',
        required: ['version'],
        additionalProperties: false,
        properties: { version: { type: 'string', examples: ['v1.1.1'] } },
      },
    },
  }
  app.get('/version', { schema, serializerCompiler: () => () => payload }, () => body)
}
