import { createServer } from 'node:http'

const payload = JSON.stringify({ version: 'v1.1.1' })

createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': payload.length })
  response.end(payload)
}).listen(Number(process.env.PORT), '127.0.0.1')

process.on('SIGTERM', () => process.exit())
