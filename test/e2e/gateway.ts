import { type Agent, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'

const {
  GATEWAY_ADDRESS,
  GATEWAY_CLASS: gatewayClass = 'traefik',
  GATEWAY_ADDRESS_FOR_PODS,
  POD_SECURITY,
  TEST_NAMESPACE,
} = process.env
if (!GATEWAY_ADDRESS) throw new Error('GATEWAY_ADDRESS is not set: give the host:port at which the gateway listens')
const { hostname: host, port } = new URL(`http://${GATEWAY_ADDRESS}`)

export { gatewayClass }

export const gateway = { host, port: Number(port || 80) }

/** Of the tests: two runs on one cluster need two, and a gateway each. */
export const namespace = TEST_NAMESPACE ?? 'devops-api-e2e'

/** The chart's own, at which the route answers. */
export const hostname = 'devops-api.devops-db.internal'

/** The Pod Security Standard of the tests' namespace: Contour and Istio run pods of their own beside the Gateway. */
export const podSecurity = POD_SECURITY ?? (/^(contour|istio)$/.test(gatewayClass) ? 'privileged' : 'restricted')

/** Where pods reach the gateway, where the Gateway's status does not say it, as with Contour, whose Service is named after the Gateway. */
export const addressForPods =
  GATEWAY_ADDRESS_FOR_PODS ?? (gatewayClass === 'contour' ? `envoy-devops-api-stable.${namespace}:8000` : undefined)

/** Whether the share of a Service that is missing goes to the other one, instead of failing with 500 as the Gateway API has it. */
export const spreadsMissing = gatewayClass === 'contour'

const PATIENCE_MS = 10_000

export interface Reply {
  sentAt: number
  latency: number
  connection: 'kept-alive' | 'new'
  /** Status, role and version, such as "200 stable v1.1.1"; or the message of an error, or why nothing came. */
  answer: string
  role: string
  pod: string
}

/** Asks once for the version, on one of the agent's connections, or a new one. */
export async function ask(agent: Agent | false = false, { host, port } = gateway): Promise<Reply> {
  const sentAt = performance.now()
  const reply = { sentAt, connection: agent ? 'kept-alive' : 'new' } as const
  const call = request({ host, port, path: '/version', headers: { host: hostname }, agent })
  const timer = setTimeout(() => call.destroy(new Error(`nothing within ${PATIENCE_MS} ms`)), PATIENCE_MS)
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      call.on('response', resolve).on('error', reject).end()
    })
    const body = await text(response)
    const { 'app-role': role = '', 'app-version': version, 'app-pod': pod = '' } = response.headers as Record<string, string>
    const said = body === JSON.stringify({ version }) ? version : (/"message":"(.*?)"/.exec(body)?.[1] ?? body.trim())
    return {
      ...reply,
      latency: performance.now() - sentAt,
      answer: [response.statusCode, role || 'nobody', said].join(' '),
      role,
      pod,
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { ...reply, latency: performance.now() - sentAt, answer: code ?? message, role: '', pod: '' }
  } finally {
    clearTimeout(timer)
  }
}
