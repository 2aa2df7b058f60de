import { expect, it } from 'vitest'
import gatewayApi from './gateway-api-v1.6.1.json' with { type: 'json' }
import { render, type Values } from './render.ts'

interface Schema {
  $comment?: string
  properties?: Record<string, Schema>
  items?: Schema
}

const { Gateway: gatewaySchema, HTTPRoute: routeSchema } = gatewayApi as unknown as Record<'Gateway' | 'HTTPRoute', Schema>

/** The fields of a manifest that Gateway API does not count among the Core features, each with its level. */
function beyondCore(value: unknown, schema: Schema | undefined, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => beyondCore(item, schema?.items, path))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, child]) => {
    const childSchema = schema?.properties?.[key]
    const below = beyondCore(child, childSchema, `${path}.${key}`)
    return childSchema?.$comment ? [`${path}.${key}: ${childSchema.$comment}`, ...below] : below
  })
}

async function asksFor(values: Values): Promise<string[]> {
  const { Gateway, HTTPRoute } = await render('stable', { values })
  return [
    ...beyondCore(Gateway?.spec, gatewaySchema, 'Gateway'),
    ...new Set(beyondCore(HTTPRoute?.spec, routeSchema, 'HTTPRoute')),
  ]
}

const responseHeader = 'HTTPRoute.rules.filters.responseHeaderModifier: Support: Extended'

// https://gateway-api.sigs.k8s.io/concepts/conformance/#2-support-levels
it.each<[what: string, values: Values, beyond: string[]]>([
  ['the values everybody starts with', {}, []],
  ['any weights', { traffic: { stable: 0, canary: 1 } }, []],
  ['traffic.preview', { traffic: { preview: true } }, []],
  ['traffic.announce', { traffic: { announce: true } }, [responseHeader]],
  ['traffic.announce with traffic.preview', { traffic: { announce: true, preview: true } }, [responseHeader]],
  ['gateway.className and gateway.listener', { gateway: { className: 'envoy', listener: { port: 80 } } }, []],
  ['no hostname', { gateway: { hostnames: [] } }, []],
  ['a hostname with a wildcard', { gateway: { hostnames: ['*.example.com'] } }, []],
  [
    'an existing Gateway in another namespace',
    { gateway: { create: false, name: 'shared', namespace: 'gateways', sectionName: 'http' } },
    [],
  ],
])('Beyond the Core features of the Gateway API, %s asks for just what is listed', async (_, values, beyond) => {
  expect(await asksFor(values)).toEqual(beyond)
})

it('Names of rules, or other ports of a parent, would be noticed', () => {
  const spec = { parentRefs: [{ name: 'a', port: 80 }], rules: [{ name: 'a', matches: [{ method: 'GET' }] }] }
  expect(beyondCore(spec, routeSchema, 'HTTPRoute')).toEqual([
    'HTTPRoute.parentRefs.port: Support: Extended',
    'HTTPRoute.rules.name: Support: Extended',
    'HTTPRoute.rules.matches.method: Support: Extended',
  ])
})
