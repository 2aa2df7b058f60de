import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    identity: Record<string, string>
  }
}

/** Says on every reply who answered: `app-version`, and `app-role` and `app-pod` where known. */
export const identity = fp(async (app) => {
  const { DEVOPSAPI_VERSION, DEVOPSAPI_ROLE, DEVOPSAPI_POD } = app.config
  const headers = {
    'app-version': DEVOPSAPI_VERSION,
    ...(DEVOPSAPI_ROLE && { 'app-role': DEVOPSAPI_ROLE }),
    ...(DEVOPSAPI_POD && { 'app-pod': DEVOPSAPI_POD }),
  }
  app.decorate('identity', headers)
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers)
    done()
  })
})
