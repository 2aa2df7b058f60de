import { describe, expect, it } from 'vitest'
import type { HelmAndKubectl } from '../../../src/canary/cluster/helmAndKubectl.ts'
import { readMayHide } from '../../../src/canary/cluster/readMayHide.ts'
import { Failure } from '../../../src/canary/errors.ts'

const route = { kind: 'HTTPRoute', name: 'devops-api-stable', namespace: 'n', labels: { role: 'stable' } } as const
const gateway = { kind: 'Gateway', name: 'g', namespace: 'gateways', labels: undefined } as const
const backendRefs = [{ name: 'devops-api-stable', weight: 1 }]
const again = 'so an error that another try mends is not seen'

/** @param answers by kind and namespace, or name; a text is an error */
function reading(answers: Record<string, object | string>, rule: object = {}, controller?: string) {
  const asked: string[] = []
  const tools = {
    async kubectl(...args: string[]) {
      asked.push(args.join(' '))
      const answer = answers[args.slice(1, -2).join(' ')]
      if (typeof answer === 'object') return JSON.stringify(answer)
      throw new Failure(`kubectl get: ${answer}`)
    },
  }
  const lines = readMayHide(tools as unknown as HelmAndKubectl, route, { backendRefs, ...rule }, [gateway], [controller])
  return { asked, lines }
}

describe('What may hide errors', () => {
  it('is nothing in a plain rule, and costs no look at the cluster', async () => {
    const { asked, lines } = reading({})
    expect(await lines).toEqual([])
    expect(asked).toEqual([])
  })

  it('are retries and timeouts of the rule', async () => {
    const rule = { retry: { attempts: 2 }, timeouts: { request: '10s', backendRequest: '500ms' } }
    expect(await reading({}, rule).lines).toEqual([
      `the route's rule tries failed requests again (retry), ${again}`,
      "the route's rule gives up after 500ms: what is slower fails without a version, as nobody's error",
    ])
    expect(await reading({}, { timeouts: { request: '10s', backendRequest: '0s' } }).lines).toEqual([
      expect.stringContaining('after 10s'),
    ])
    expect(await reading({}, { timeouts: { request: '0s' } }).lines).toEqual([])
  })

  const filter = (name: string) => ({
    type: 'ExtensionRef',
    extensionRef: { group: 'traefik.io', kind: 'Middleware', name },
  })

  it("are retries of Traefik's middlewares that it names", async () => {
    const answers = {
      'middlewares.traefik.io retries': { spec: { retry: { attempts: 4 } } },
      'middlewares.traefik.io both': { spec: { chain: { middlewares: [] } } },
      'middlewares.traefik.io plain': { spec: { compress: {} } },
      'middlewares.traefik.io secret': 'forbidden',
    }
    const other = { type: 'ExtensionRef', extensionRef: { group: 'other.io', kind: 'Middleware', name: 'x' } }
    const rule = { filters: [...['retries', 'both', 'plain', 'secret'].map(filter), other] }
    expect(await reading(answers, rule).lines).toEqual([
      `Middleware retries tries failed requests again (retry), ${again}`,
      'Middleware both is a chain of others, which are not looked at: one may try requests again',
      'whether requests are tried again by Middleware secret could not be seen: kubectl get: forbidden',
    ])
  })

  const policy = (name: string, spec: object) => ({ metadata: { name }, spec })
  const kind = 'backendtrafficpolicies.gateway.envoyproxy.io --namespace'

  it("are Envoy Gateway's policies for the route and for its Gateway", async () => {
    const answers = {
      [`${kind} n`]: {
        items: [
          policy('a', { retry: {}, targetRefs: [{ kind: 'HTTPRoute', name: 'devops-api-stable' }] }),
          policy('b', { retry: {}, targetRefs: [{ kind: 'HTTPRoute', name: 'another' }] }),
          policy('c', {
            timeout: { http: { requestTimeout: '1s' } },
            targetRef: { kind: 'HTTPRoute', name: 'devops-api-stable' },
          }),
          policy('d', { retry: {}, targetSelectors: [{ kind: 'HTTPRoute', matchLabels: { role: 'stable' } }] }),
          policy('e', { retry: {}, targetSelectors: [{ kind: 'HTTPRoute', matchLabels: { role: 'canary' } }] }),
          policy('f', { retry: {}, targetRefs: [{ kind: 'Gateway', name: 'g' }] }),
        ],
      },
      [`${kind} gateways`]: { items: [policy('g', { retry: {}, targetRefs: [{ kind: 'Gateway', name: 'g' }] })] },
    }
    expect(await reading(answers, {}, 'gateway.envoyproxy.io/gatewayclass-controller').lines).toEqual([
      `BackendTrafficPolicy a on HTTPRoute devops-api-stable tries failed requests again (retry), ${again}`,
      "BackendTrafficPolicy c on HTTPRoute devops-api-stable gives up after 1s: what is slower fails without a version, as nobody's error",
      `BackendTrafficPolicy d on HTTPRoute devops-api-stable tries failed requests again (retry), ${again}`,
      `BackendTrafficPolicy g on Gateway g tries failed requests again (retry), ${again}`,
    ])
  })

  it('are no policies where there is no such kind', async () => {
    const none = 'the server doesn\'t have a resource type "backendtrafficpolicies"'
    const answers = { [`${kind} n`]: none, [`${kind} gateways`]: none }
    expect(await reading(answers, {}, 'gateway.envoyproxy.io/gatewayclass-controller').lines).toEqual([])
  })
})
