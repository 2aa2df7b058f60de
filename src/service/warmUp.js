// The image runs this while it is built: a service that has answered everything once has loaded, and so cached, all that it ever loads.
import { once } from 'node:events'
import { createServer } from 'node:net'

const free = createServer().listen(0, '127.0.0.1')
await once(free, 'listening')
const { port } = free.address()
free.close()
await once(free, 'close')
Object.assign(process.env, { HOST: '127.0.0.1', PORT: `${port}` })
await import('./service/server.js')
for (const path of ['/', '/version', '/metrics', '/openapi.json', '/none']) await fetch(`http://127.0.0.1:${port}${path}`)
process.kill(process.pid, 'SIGTERM')
