import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import { onDemand } from './onDemand.ts'
import { text } from './text.ts'

/**
 * `GET /`: the live page, which asks `/version` again and again and draws who answers. It is a single response, because a second
 * request, for a script say, could be answered by the other version.
 */
export function page(app: FastifyInstance): void {
  const load = onDemand(loadPage)
  const schema = { summary: 'The live page', response: { 200: text('text/html', 'One HTML document, without assets') } }
  app.get('/', { schema }, async (request, reply) => {
    const { policy, bodies, negotiate } = await load()
    const encoding = negotiate(request.headers['accept-encoding'] ?? '', ['br', 'gzip']) as 'br' | 'gzip' | null
    if (encoding) reply.header('content-encoding', encoding)
    reply.headers({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      vary: 'accept-encoding',
    })
    return bodies[encoding ?? 'identity']
  })
}

async function loadPage() {
  const read = (name: string) => readFile(join(import.meta.dirname, '../page', name), 'utf8')
  const [html, style, script] = await Promise.all([read('page.html'), read('page.css'), read('page.js')])
  const document = Buffer.from(html.replace('<style>', (tag) => tag + style).replace('<script>', (tag) => tag + script))
  const [br, gz, { negotiate }] = await Promise.all([
    promisify(brotliCompress)(document),
    promisify(gzip)(document),
    import('@fastify/accept-negotiator'),
  ])
  return { policy: policy(style, script), bodies: { identity: document, br, gzip: gz }, negotiate }
}

/** https://www.w3.org/TR/CSP3/: nothing but the page's own style and script, its icon, and requests to where it came from. */
function policy(style: string, script: string): string {
  const source = (content: string) => `'sha256-${createHash('sha256').update(content).digest('base64')}'`
  return [
    "default-src 'none'",
    `style-src ${source(style)}`,
    `script-src ${source(script)}`,
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
