import Fastify, { type FastifyInstance, type RouteOptions } from 'fastify'
import manifest from '../../../package.json' with { type: 'json' }

/** `GET /openapi.json`: OpenAPI 3.1, generated from the schemas of the routes registered after this one. */
export function openapi(app: FastifyInstance): void {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', (route) => {
    routes.push(route)
  })

  // Made when first asked for, by an app of its own, so that nobody else waits for the generator to load.
  const generate = async () => {
    const { default: swagger } = await import('@fastify/swagger')
    const documented = Fastify({ exposeHeadRoutes: false })
    await documented.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: { title: manifest.name, description: manifest.description, version: manifest.version, license: { name: 'MIT' } },
      },
    })
    for (const { method, url, schema = {} } of routes) documented.route({ method, url, schema, handler: () => {} })
    await documented.ready()
    return JSON.stringify(documented.swagger())
  }
  let document: Promise<string> | undefined

  const response = { 200: { description: 'An OpenAPI 3.1 document', type: 'object' } }
  app.get('/openapi.json', { schema: { summary: 'This description', response } }, async (_request, reply) => {
    document ??= generate()
    reply.type('application/json; charset=utf-8')
    return document
  })
}
