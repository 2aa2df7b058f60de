import { promisify } from 'node:util'
import Fastify, { type FastifyInstance, type RouteOptions } from 'fastify'
import manifest from '../../../package.json' with { type: 'json' }
import { onDemand } from './onDemand.ts'

/** `GET /openapi.json`: OpenAPI 3.1, generated from the schemas of the routes registered after this one. */
export function openapi(app: FastifyInstance): void {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', (route) => {
    routes.push(route)
  })

  // By an app of its own: the generator wants to see how routes are added.
  const generate = onDemand(async () => {
    const { default: swagger } = await import('@fastify/swagger')
    const documented = Fastify({ exposeHeadRoutes: false })
    // By hand: what a plugin throws while `register` loads it ends the process.
    await promisify(swagger)(documented, {
      openapi: {
        openapi: '3.1.0',
        info: { title: manifest.name, description: manifest.description, version: manifest.version, license: { name: 'MIT' } },
      },
    })
    for (const { method, url, schema = {} } of routes) documented.route({ method, url, schema, handler: () => {} })
    await documented.ready()
    return JSON.stringify(documented.swagger())
  })

  const response = { 200: { description: 'An OpenAPI 3.1 document', type: 'object' } }
  app.get('/openapi.json', { schema: { summary: 'This description', response } }, async (_request, reply) => {
    const document = await generate()
    reply.type('application/json; charset=utf-8')
    return document
  })
}
