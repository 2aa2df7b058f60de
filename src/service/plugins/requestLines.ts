import fp from 'fastify-plugin'

/** Writes a line for each request at `debug`, except on routes whose `logLevel` is silent. Above that level it costs nothing. */
export const requestLines = fp(async (app) => {
  if (!app.logger.isLevelEnabled('debug')) return
  app.addHook('onResponse', (request, reply, done) => {
    if (request.routeOptions.logLevel !== 'silent') {
      const { method, url, ip } = request
      // A socket for both families gives IPv4 addresses as those of IPv6.
      app.logger.debug({ method, url, ip: ip.replace('::ffff:', ''), status: reply.statusCode, ms: reply.elapsedTime }, 'request')
    }
    done()
  })
})
