import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import schema from '../../chart/values.schema.json' with { type: 'json' }
import { chart, helm, type Role, refusal } from './render.ts'

/** Values as a person would write them, and all that this person then reads. */
type Mistake = [role: Role, values: string, message: string]

const must = (path: string, allowed: string) => `- at '${path}': value must be ${allowed}`

const unknownKey = (path: string, key: string, allowed: string) =>
  [
    `- at '${path}': additional properties '${key}' not allowed`,
    `- at '': invalid propertyName '${key}'`,
    `  ${must('', allowed)}`,
  ].join('\n')

const weight = "'a whole number from 0 to 1000000, without quotes'"
const tag = `'an image tag in quotes, such as "1.10"; a digest is for image.digest'`
const noBoolean = "'under a name in quotes: YAML reads N, Y, no, on and the like as booleans'"
const header = 'which no header can carry. Use 1 to 128 printable ASCII characters, without a space at either end.'
const read =
  'DEVOPSAPI_VERSION, FAULT_ERROR_RATE, FAULT_ERROR_STATUS, FAULT_DELAY_MS, FAULT_DELAY_P99_MS, FAULT_READY_AFTER_MS, FAULT_RESET_RATE, FAULT_CRASH_AFTER_MS, FAULT_LEAK_MIB_PER_S'

const mistakes: Record<string, Mistake[]> = {
  'a role that is missing or misspelt': [
    ['stable', 'role: ""', must('/role', "one of 'stable', 'canary'")],
    ['stable', 'role: stabel', must('/role', "one of 'stable', 'canary'")],
    ['stable', 'role: null', "- at '': missing property 'role'"],
  ],
  'weights that split nothing': [
    [
      'stable',
      'traffic: { stable: 0, canary: 0 }',
      'traffic.stable and traffic.canary are both 0, so nobody would answer. Give at least one of them a weight above 0.',
    ],
    ['stable', 'traffic: { stable: -1 }', must('/traffic/stable', weight)],
    ['stable', 'traffic: { canary: 0.5 }', must('/traffic/canary', weight)],
    ['stable', 'traffic: { canary: "10" }', must('/traffic/canary', weight)],
    ['stable', 'traffic: { canary: 1000001 }', must('/traffic/canary', weight)],
    ['stable', 'traffic: { canary: 10% }', must('/traffic/canary', weight)],
    ['stable', 'traffic: { canary: null }', "- at '/traffic': missing property 'canary'"],
  ],
  'a canary that moves traffic': [
    [
      'canary',
      'gateway: { enabled: true }',
      'gateway.enabled is true, but role is canary, and the route belongs to stable alone. Set it to false here.',
    ],
    [
      'canary',
      'traffic: { stable: 90, canary: 10 }',
      'traffic.stable is 90 and traffic.canary is 10, but role is canary, and only stable moves traffic. Set them in the values of stable.',
    ],
  ],
  'an image that is not named exactly': [
    ['stable', 'image: { tag: 1.10 }', must('/image/tag', tag)],
    ['stable', 'image: { tag: "1.1.1 " }', must('/image/tag', tag)],
    ['stable', `image: { tag: ${'x'.repeat(129)} }`, must('/image/tag', tag)],
    ['stable', `image: { tag: "1.1.1@sha256:${'0'.repeat(64)}" }`, must('/image/tag', tag)],
    ...['devops-api:1.1.1', 'https://example.com/x', `x@sha256:${'0'.repeat(64)}`, 'localhost:5000', 'Devops-API', 'x/'].map(
      (name): Mistake => [
        'stable',
        `image: { repository: "${name}" }`,
        `image.repository makes the name "${name}", which no image can have. Leave out a scheme, and give a tag or a digest as image.tag or image.digest.`,
      ],
    ),
    [
      'stable',
      'global: { imageRegistry: "https://example.com" }',
      'global.imageRegistry and image.repository make the name "https://example.com/devops-api", which no image can have. Leave out a scheme, and give a tag or a digest as image.tag or image.digest.',
    ],
    ['stable', 'image: { digest: "sha256:abc" }', must('/image/digest', "'sha256: and 64 hexadecimal digits, or empty'")],
    ['stable', 'image: { pullPolicy: always }', must('/image/pullPolicy', "one of 'Always', 'IfNotPresent', 'Never'")],
  ],
  'a misspelt key': [
    [
      'stable',
      'trafic: {}',
      unknownKey(
        '',
        'trafic',
        `one of ${Object.keys(schema.properties)
          .map((key) => `'${key}'`)
          .join(', ')}`,
      ),
    ],
    [
      'stable',
      'traffic: { stabel: 90 }',
      unknownKey('/traffic', 'stabel', "one of 'stable', 'canary', 'preview', 'previewHeader', 'announce'"),
    ],
    ['stable', 'gateway: { listener: { prot: 80 } }', unknownKey('/gateway/listener', 'prot', "'port'")],
    [
      'canary',
      'env: { FAULT_EROR_RATE: "0.2" }',
      `env.FAULT_EROR_RATE is "0.2", but the service reads no such name. It reads ${read}.`,
    ],
    [
      'canary',
      'env: { DEVOPSAPI_VERSON: v2 }',
      `env.DEVOPSAPI_VERSON is "v2", but the service reads no such name. It reads ${read}.`,
    ],
  ],
  'a version that no header can carry': [
    ['canary', 'env: { DEVOPSAPI_VERSION: "" }', `env.DEVOPSAPI_VERSION makes the version "", ${header}`],
    ['canary', 'env: { DEVOPSAPI_VERSION: "v2 " }', `env.DEVOPSAPI_VERSION makes the version "v2 ", ${header}`],
    ['canary', 'env: { DEVOPSAPI_VERSION: "v2é" }', `env.DEVOPSAPI_VERSION makes the version "v2é", ${header}`],
    ['canary', 'env: { DEVOPSAPI_VERSION: "v2\\n" }', `env.DEVOPSAPI_VERSION makes the version "v2\\n", ${header}`],
    [
      'canary',
      `env: { DEVOPSAPI_VERSION: ${'x'.repeat(129)} }`,
      `env.DEVOPSAPI_VERSION makes the version "${'x'.repeat(129)}", ${header}`,
    ],
    ['stable', `image: { tag: ${'x'.repeat(128)} }`, `image.tag makes the version "v${'x'.repeat(128)}", ${header}`],
  ],
  'an end that comes before the last reply': [
    [
      'stable',
      'preStopSleepSeconds: 20',
      'preStopSleepSeconds is 20 and the service may drain for 10 more, but terminationGracePeriodSeconds is 30: replies would be cut off. Raise it to at least 31, or lower preStopSleepSeconds.',
    ],
    [
      'stable',
      'terminationGracePeriodSeconds: 15',
      'preStopSleepSeconds is 5 and the service may drain for 10 more, but terminationGracePeriodSeconds is 15: replies would be cut off. Raise it to at least 16, or lower preStopSleepSeconds.',
    ],
    ['stable', 'preStopSleepSeconds: -1', "- at '/preStopSleepSeconds': minimum: got -1, want 0"],
  ],
  'environment that is not for the values to decide, or no string': [
    ...['HOST', 'PORT', 'DEVOPSAPI_ROLE', 'DEVOPSAPI_POD'].map(
      (name): Mistake => [
        'stable',
        `env: { ${name}: x }`,
        `env.${name} is "x", but the chart decides it, because probes, Service and route rely on it. Leave it out.`,
      ],
    ),
    ['canary', 'env: { FAULT_ERROR_RATE: 0.2 }', must('/env/FAULT_ERROR_RATE', "'a string, in quotes'")],
    ...['N', 'y', 'No', 'ON'].map(
      (name): Mistake => ['canary', `env: { ${name}: "" }`, must(`/env/${/^n/i.test(name) ? 'false' : 'true'}`, noBoolean)],
    ),
    ['canary', 'podLabels: { n: "" }', must('/podLabels/false', noBoolean)],
    ['canary', 'env: { 1X: "" }', "- at '/env': additional properties '1X' not allowed"],
  ],
  'what would have no effect': [
    [
      'canary',
      'traffic: { preview: true }',
      'traffic.preview is true, but gateway.enabled is false, and without a route it does nothing. Set it in the values of the release that owns the route.',
    ],
    [
      'stable',
      '{ gateway: { enabled: false }, traffic: { announce: true } }',
      'traffic.announce is true, but gateway.enabled is false, and without a route it does nothing. Set it in the values of the release that owns the route.',
    ],
    [
      'stable',
      '{ gateway: { route: false }, traffic: { announce: true } }',
      'traffic.announce is true, but gateway.route is false, and without a route it does nothing. Set it in the values of the release that owns the route.',
    ],
    [
      'stable',
      'gateway: { route: false, create: false, name: shared }',
      'gateway.enabled is true, but gateway.create and gateway.route are both false, so there is nothing to create. Set gateway.enabled to false.',
    ],
    [
      'stable',
      'gateway: { create: false }',
      'gateway.create is false, but gateway.name is empty. Name the Gateway to attach to.',
    ],
    ...['name', 'namespace', 'sectionName'].map(
      (name): Mistake => [
        'stable',
        `gateway: { ${name}: shared }`,
        `gateway.${name} is "shared", but gateway.create is true, and the created Gateway is called devops-api-stable. Set gateway.create to false to attach to another.`,
      ],
    ),
    [
      'canary',
      'serviceAccount: { name: web }',
      'serviceAccount.name is "web", but serviceAccount.create is true, and the created one is called devops-api-canary. Set serviceAccount.create to false to use another.',
    ],
  ],
  'a route to a Service that is not there': [
    [
      'stable',
      'service: { enabled: false }',
      'service.enabled is false, so the route would send requests to a Service that is not there. Set gateway.route to false as well, for a controller that makes both.',
    ],
  ],
  'an address of the gateway that cannot be one, or has no use': [
    ...['10.0.0.1', 'http://10.0.0.1:80', '10.0.0.1:0', '10.0.0.1:65536', '10.0.0.1:80/', 'fd00::1:80', ':80', '$(id):80'].map(
      (address): Mistake => [
        'stable',
        `test: { gatewayAddress: "${address}" }`,
        must('/test/gatewayAddress', "'host:port, such as 10.0.0.1:80 or traefik.traefik:80, or empty'"),
      ],
    ),
    [
      'stable',
      'test: { gatewayAddress: 8000 }',
      must('/test/gatewayAddress', "'host:port, such as 10.0.0.1:80 or traefik.traefik:80, or empty'"),
    ],
    ['stable', 'test: { address: "10.0.0.1:80" }', unknownKey('/test', 'address', "'gatewayAddress'")],
    [
      'canary',
      'test: { gatewayAddress: "10.0.0.1:80" }',
      'test.gatewayAddress is "10.0.0.1:80", but gateway.enabled is false, and without a route there is no split to judge. Set it in the values of the release that owns the route.',
    ],
    [
      'stable',
      '{ gateway: { route: false }, test: { gatewayAddress: "10.0.0.1:80" } }',
      'test.gatewayAddress is "10.0.0.1:80", but gateway.route is false, and without a route there is no split to judge. Set it in the values of the release that owns the route.',
    ],
  ],
  'the rest that an API server would refuse, or misunderstand': [
    ...['Example.com', 'example.com:8000', 'http://example.com', ''].map(
      (name): Mistake => [
        'stable',
        `gateway: { hostnames: ["${name}"] }`,
        must('/gateway/hostnames/0', "'a host name in lower case without a port, such as example.com or *.example.com'"),
      ],
    ),
    [
      'stable',
      'traffic: { previewHeader: { name: "x canary" } }',
      must('/traffic/previewHeader/name', "'a header name, such as x-canary'"),
    ],
    ...['true', '""', '" always"', '"a\\nb"'].map(
      (value): Mistake => [
        'stable',
        `traffic: { previewHeader: { value: ${value} } }`,
        must('/traffic/previewHeader/value', `'a header value in quotes, such as "always"'`),
      ],
    ),
    ['stable', 'runAsUser: 0', "- at '/runAsUser': minimum: got 0, want 1"],
    [
      'stable',
      'service: { ipFamilyPolicy: DualStack }',
      must('/service/ipFamilyPolicy', "one of '', 'SingleStack', 'PreferDualStack', 'RequireDualStack'"),
    ],
    ['stable', 'replicas: -1', "- at '/replicas': minimum: got -1, want 0"],
    ['stable', 'replicas: "2"', "- at '/replicas': got string, want integer"],
    [
      'stable',
      'autoscaling: { minReplicas: 5, maxReplicas: 2 }',
      'autoscaling.minReplicas is 5, but autoscaling.maxReplicas is 2. Swap them, or raise the maximum.',
    ],
    ...['{ requests: null }', '{ requests: { cpu: null } }', '{ requests: { cpu: 0 } }', '{ requests: { cpu: 0m } }'].map(
      (resources): Mistake => [
        'canary',
        `autoscaling: { enabled: true }\nresources: ${resources}`,
        'autoscaling.enabled is true, but resources.requests.cpu is not given, of which the autoscaler takes a percentage. Give it, such as 100m.',
      ],
    ),
    ...['replicas', 'runAsUser'].map(
      (key): Mistake => ['canary', `${key}: 2147483648`, `- at '/${key}': maximum: got 2.147483648×10⁰⁹, want 2.147483647×10⁰⁹`],
    ),
    [
      'stable',
      'podDisruptionBudget: { maxUnavailable: "25" }',
      must('/podDisruptionBudget/maxUnavailable', `'a whole number, or a percentage in quotes such as "25%"'`),
    ],
    ['stable', 'podMonitor: { interval: 30 }', must('/podMonitor/interval', "'a duration, such as 30s'")],
    [
      'stable',
      'podMonitor: { labels: { role: web } }',
      'podMonitor.labels.role is "web", but the chart sets that label itself. Choose another name.',
    ],
    ['stable', 'podLabels: { app: web }', 'podLabels.app is "web", but the chart sets that label itself. Choose another name.'],
    [
      'stable',
      'podAnnotations: { prometheus.io/scrape: true }',
      must('/podAnnotations/prometheus.io~1scrape', "'a string, in quotes'"),
    ],
  ],
}

describe.each(Object.entries(mistakes))('the chart refuses %s', (_, cases) => {
  it.each(cases)('%s with %s', async (role, values, message) => {
    expect(await refusal(role, { values })).toBe(message)
  })
})

it('knows every variable of the service that could be misspelt', async () => {
  const config = await readFile(join(chart, '../src/service/config.ts'), 'utf8')
  const names = new Set(config.match(/\b(DEVOPSAPI|FAULT)_[A-Z0-9_]+/g))
  expect([...names].sort()).toEqual([...read.split(', '), 'DEVOPSAPI_ROLE', 'DEVOPSAPI_POD'].sort())
})

it('asks for a role when it is installed without any values', async () => {
  const { failed, stderr } = await helm(['template', 'devops-api', '.'])
  expect(failed).toBe(true)
  expect(stderr).toContain(must('/role', "one of 'stable', 'canary'"))
})
