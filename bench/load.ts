import { connect } from 'node:net'

export const CONNECTIONS = 32

export interface Load {
  seconds: number
  /** Milliseconds from a request's sending to its reply, sorted. */
  latencies: Float64Array
}

const request = Buffer.from('GET /version HTTP/1.1\r\nhost: devops-api\r\naccept: */*\r\nuser-agent: bench\r\n\r\n')

/**
 * Sends `count` requests over keep-alive connections, each with one request under way at a time. It works on bare sockets: an HTTP
 * client would cost more than the servers it is to measure.
 * @throws when a reply is not whole, or not a 200
 */
export async function load(port: number, count: number): Promise<Load> {
  const latencies = new Float64Array(count)
  const started = performance.now()
  let sent = 0
  let received = 0
  const open = () =>
    new Promise<void>((resolve, reject) => {
      let sentAt = 0
      const socket = connect({ port, host: '127.0.0.1', noDelay: true }, next)
      function next() {
        if (sent === count) return socket.end()
        sent++
        sentAt = performance.now()
        return socket.write(request)
      }
      socket.on('data', (reply: Buffer) => {
        latencies[received++] = performance.now() - sentAt
        const text = reply.toString('latin1')
        if (text.startsWith('HTTP/1.1 200') && text.endsWith('}')) next()
        else socket.destroy(new Error(`not one whole 200: ${text}`))
      })
      socket.on('error', reject).on('close', resolve)
    })
  await Promise.all(Array.from({ length: CONNECTIONS }, open))
  if (received !== count) throw new Error(`${received} replies to ${count} requests`)
  return { seconds: (performance.now() - started) / 1000, latencies: latencies.sort() }
}
