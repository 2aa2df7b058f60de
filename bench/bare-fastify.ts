import Fastify from 'fastify'

const app = Fastify()
app.get('/version', () => ({ version: 'v1.1.1' }))
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })

process.on('SIGTERM', () => process.exit())
