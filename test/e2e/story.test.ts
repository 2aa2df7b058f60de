import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { request } from 'undici'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type Role, roles } from '../../src/canary/roles.ts'
import { launchBrowser, navigate, watchPage } from '../browser.ts'
import { chart, copyChart, edit, removeChart } from './chart.ts'
import {
  createNamespace,
  deleteNamespace,
  describeNamespace,
  incarnations,
  namespace,
  objects,
  podNames,
  poll,
  rolledOut,
  run,
} from './cluster.ts'
import { type Figure, figure, range } from './figures.ts'
import { addressForPods, ask, gateway, hostname, type Reply, spreadsMissing } from './gateway.ts'
import { Load, RATE } from './load.ts'
import { editWeights, expectedAnswers, install, move, says, secondsToWire, settle } from './releases.ts'
import { distinct, sample, share } from './split.ts'
import { binomial, p50AndP99, quantileInterval } from './statistics.ts'
import { inSeconds, note, summary } from './summary.ts'

const load = new Load(expectedAnswers)
const secondLoad = new Load(expectedAnswers)
const injected = '500 canary injected fault'
let pristine: string[]
/** The host:port where pods reach it. */
let gatewayForPods = ''

beforeAll(async () => {
  copyChart()
  await createNamespace()
  pristine = await objects()
})

afterEach(async ({ task }) => {
  const complaint = load.complaint || secondLoad.complaint
  const failed = task.result?.state === 'fail'
  if (failed || complaint) console.error([complaint, await describeNamespace()].join('\n\n'))
  if (failed) return
  load.expectNothingLost()
  secondLoad.expectNothingLost()
})

afterAll(async () => {
  await Promise.all([load.stop(), secondLoad.stop()])
  console.log(summary())
  await deleteNamespace().finally(removeChart)
})

it('1. Two commands install both releases', async () => {
  await install('stable')
  await install('canary')
  await settle()
})

it('1. Twenty curls show both versions, stable in the majority', async () => {
  // Again where need be: a gateway that draws at random shows no canary in one of eight such series.
  await poll(async () => {
    const replies = await sample(20, 1)
    expect(distinct(replies.map(({ answer }) => answer))).toEqual(['200 canary v1.1.1-canary', '200 stable v1.1.1'])
    expect(share(replies, 'stable')).toBeGreaterThan(0.5)
  })
})

// Number and tolerance are those of Gateway API's conformance tests: https://github.com/kubernetes-sigs/gateway-api/blob/main/conformance/tests/httproute-weight.go
async function expectOneInTen(name: Figure, isHit: (reply: Reply) => boolean): Promise<void> {
  const replies = await sample(500)
  expect(replies.filter(({ answer }) => !expectedAnswers().includes(answer))).toEqual([])
  const hits = replies.filter(isHit).length
  expect(Math.abs(hits / 500 - 0.1), `${hits} of 500`).toBeLessThan(0.05)
  figure(name, `${hits}`)
}

it('1. Of 500 requests, one in ten reaches canary', async () => {
  await expectOneInTen('split', ({ role }) => role === 'canary')
})

it('1. The API server accepts every object of both releases, with each of the examples', async () => {
  const overlays = readdirSync(join(chart, 'examples'))
    .filter((file) => file !== 'check-job.yaml')
    .map((file) => `--values examples/${file} `)
  const templates = roles.flatMap((role) =>
    // The PodMonitor's type belongs to the Prometheus Operator, which is not on every cluster.
    ['', ...overlays].map(
      (overlay) => `devops-api-${role} . --values values-${role}.yaml ${overlay}--set podMonitor.enabled=false`,
    ),
  )
  const manifests = await Promise.all(templates.map((template) => run(`helm template ${template} -n ${namespace}`)))
  const apply = 'kubectl apply --server-side --dry-run=server --validate=strict --warnings-as-errors --field-manager=helm'
  await run(`${apply} -n ${namespace} -f -`, manifests.join('\n'))
  await run(`${apply} -n ${namespace} -f examples/check-job.yaml`)
})

it('1. The image runs as nobody, on a file system it cannot write, with its compile cache warm', async () => {
  const exec = async (expression: string) => {
    const [pod] = await podNames('stable')
    return run(`kubectl exec ${pod} -n ${namespace} -- /nodejs/bin/node --print ${expression}`)
  }
  expect(await exec('process.getuid()')).toBe('65532')
  await expect(exec('fs.writeFileSync("/tmp/file","")')).rejects.toThrow('EROFS')
  const cached = Number(await exec('fs.readdirSync(process.env.NODE_COMPILE_CACHE,{recursive:true}).length'))
  // All that the service loads, and what the CLI does.
  expect(cached).toBeGreaterThan(Number(await exec('fs.readdirSync("service").length')))

  const nodes: { status: { images: { names: string[] | null; sizeBytes: number }[] } }[] = JSON.parse(
    await run('kubectl get nodes -o json'),
  ).items
  const images = nodes.flatMap(({ status }) => status.images)
  const image = images.find(({ names }) => names?.some((name) => name.endsWith('/devops-api:1.1.1')))
  const logs = await run(`kubectl logs deployment/devops-api-stable -n ${namespace}`)
  const metrics = `/api/v1/namespaces/${namespace}/services/http:devops-api-stable:http/proxy/metrics`
  const resident = /^process_resident_memory_bytes\{.*\} (\d+)/m.exec(await run(`kubectl get --raw ${metrics}`))?.[1]
  // A node says so up to some minutes late.
  if (image) note('The image', `${(image.sizeBytes / 2 ** 20).toFixed(0)} MiB`)
  note('The image', `listens ${JSON.parse(logs).startMs} ms after the start of its process, next to three others`)
  note('The image', `uses ${(Number(resident) / 2 ** 20).toFixed(0)} MiB of memory at rest`)
})

it('1. A steady load begins', async () => {
  load.start()
  figure('atRest', p50AndP99(await load.next(5 * RATE)))
})

it.each(roles)('2. Deployment, Service and pods of %s carry its role, and the Service reaches these pods only', async (role) => {
  const named = await run(`kubectl get deployments,services -n ${namespace} -l role=${role} -o name`)
  expect(named.split('\n')).toEqual([`deployment.apps/devops-api-${role}`, `service/devops-api-${role}`])
  const pods = await podNames(role)
  expect(pods).toEqual([expect.stringContaining(`devops-api-${role}-`), expect.stringContaining(`devops-api-${role}-`)])

  const slices = `endpointslices -n ${namespace} -l kubernetes.io/service-name=devops-api-${role}`
  const targets = await run(`kubectl get ${slices} -o jsonpath={.items[*].endpoints[*].targetRef.name}`)
  expect(targets.split(' ').sort()).toEqual(pods)

  const direct = `/api/v1/namespaces/${namespace}/services/http:devops-api-${role}:http/proxy/version`
  const bodies = await Promise.all(Array.from({ length: 10 }, () => run(`kubectl get --raw ${direct}`)))
  expect(distinct(bodies)).toEqual([role === 'stable' ? '{"version":"v1.1.1"}' : '{"version":"v1.1.1-canary"}'])
  expect(distinct(load.replies.filter((reply) => reply.role === role).map(({ pod }) => pod))).toEqual(pods)
})

it.each(roles)('2. helm test of %s passes', async (role) => {
  await run(`helm test devops-api-${role} -n ${namespace}`)
})

const helmTest = () => run(`helm test devops-api-stable -n ${namespace} --logs`)

it('2. helm test of stable says that it does not ask the gateway, until the address is known', async () => {
  expect(await helmTest()).toContain('The gateway is not asked, because its address is not known')
  // Where the Gateway's status does not say it, or not as pods reach it.
  if (addressForPods) edit('values-stable.yaml', { 'test.gatewayAddress': addressForPods })
  gatewayForPods = /^The gateway is asked as well, at (.*)\.$/m.exec(await install('stable'))?.[1] ?? ''
  expect(await helmTest()).toMatch(/expected: stable 90 %, canary 10 %\n.*\nPASS split\n.*\nPASS\n/s)
})

/** Does with the Job what its first lines say, and returns the last output, the exit code of the check. */
async function check(expectation: string): Promise<string> {
  const file = 'examples/check-job.yaml'
  const args = 'spec.template.spec.containers.0.args'
  edit(file, { [`${args}.2`]: `http://${gatewayForPods}`, [`${args}.4`]: `--expect=${expectation}` })
  const commands = readFileSync(join(chart, file), 'utf8').match(/(?<=^# {3})kubectl .*$/gm) ?? []
  expect(commands).toHaveLength(4)
  let output = ''
  for (const command of commands) output = await run(command.replaceAll("'", '').replace('-n devops-api', `-n ${namespace}`))
  return output
}

it('2. The Job checks the split, and a pipeline gets its exit code', async () => {
  expect(await check('stable=90,canary=10')).toBe('0')
  await run(`kubectl wait job/devops-api-check -n ${namespace} --for=condition=complete --timeout=10s`)
  expect(await check('stable=50,canary=50')).toBe('1')
  expect(await run(`kubectl logs job/devops-api-check -n ${namespace}`)).toContain('FAIL split')
  await run(`kubectl delete job devops-api-check -n ${namespace}`)
})

it('2. A second release of canary is refused and changes nothing', async () => {
  const before = [await objects(), await incarnations()]
  const command = `helm upgrade --install another . --values values-canary.yaml -n ${namespace}`
  await expect(run(command)).rejects.toThrow('exists and cannot be imported into the current release')
  expect([await objects(), await incarnations()]).toEqual(before)
})

it('2. The live page, through the gateway, shows the split next to the one that the route announces', async () => {
  edit('values-stable.yaml', { 'traffic.announce': true })
  await install('stable')
  const browser = await launchBrowser([`--host-resolver-rules=MAP ${hostname} ${gateway.host}`])
  const page = await browser.newPage()
  const { lines, urls } = watchPage(page)
  const origin = `http://${hostname}:${gateway.port}`
  await navigate(page, origin)
  await page.locator('#rate').fill('50')
  await poll(async () => {
    expect(await page.locator('#cards').innerText()).toContain('of 500 requests')
    expect(await page.locator('#verdict').innerText()).toBe('Configured and observed agree')
  })
  expect(await page.locator('#comparison td').allInnerTexts()).toEqual(expect.arrayContaining(['90.0 %', '10.0 %']))
  expect(await page.locator('#cards h3').allInnerTexts()).toEqual(['v1.1.1 stable', 'v1.1.1-canary canary'])
  const pods = (await page.locator('[data-field=pods]').allInnerTexts()).map((text) => text.split('\n').sort())
  expect(pods).toEqual([await podNames('stable'), await podNames('canary')])
  expect(lines).toEqual([])
  expect(distinct(urls)).toEqual([`${origin}/`, `${origin}/version`])
  await browser.close()
})

/** What `check` says through the gateway. */
async function checked(...args: string[]): Promise<string> {
  const cli = [join(import.meta.dirname, '../../src/canary/main.ts'), 'check', `http://${gateway.host}:${gateway.port}`]
  const { stdout } = await execa(process.execPath, [...cli, '--host', hostname, '--rate', '500', ...args], { reject: false })
  return stdout
}

it('2. The CLI takes from the replies what to expect, and passes it', async () => {
  expect(await checked()).toMatch(/\nexpected: stable 90 %, canary 10 % \(announced by the gateway\)\n.*\nPASS$/s)
})

it('2. With the header x-canary: always, every request reaches canary', async () => {
  edit('values-stable.yaml', { 'traffic.preview': true })
  await install('stable')
  await poll(async () => {
    expect(await checked('--header', 'x-canary: always', '--expect', 'canary=100')).toMatch(/\nPASS split\n.*\nPASS$/s)
  })
  expect(await checked('--header', 'x-canary: never', '--expect', 'stable=90,canary=10')).toMatch(/\nPASS$/)
  edit('values-stable.yaml', { 'traffic.preview': false })
  await install('stable')
  await poll(async () =>
    expect(await checked('--header', 'x-canary: always', '--expect', 'stable=90,canary=10')).toMatch(/\nPASS$/),
  )
})

it('2. Nothing but the page and the version is published', async () => {
  const headers = { host: hostname }
  for (const path of ['/metrics', '/livez', '/readyz', '/openapi.json', '/version/', '/versions']) {
    const { statusCode, headers: replied } = await request(`http://${gateway.host}:${gateway.port}${path}`, { headers })
    expect([path, statusCode, replied['app-version']]).toEqual([path, 404, undefined])
  }
})

function expectBetween([least, most]: [number, number], value: number): void {
  expect(value).toBeGreaterThan(least)
  expect(value).toBeLessThan(most)
}

it('3. Weights move to 50/50', async () => {
  await move(50, 50)
  const replies = await load.next(5 * RATE)
  expectBetween(binomial(replies.length, 0.5), replies.filter(({ role }) => role === 'canary').length)
})

const duringRollouts: Reply[] = []

async function rollOut(role: Role, change: () => Promise<unknown>): Promise<void> {
  const from = load.replies.length
  await change()
  await rolledOut(role)
  duringRollouts.push(...load.replies.slice(from))
}

it.each(roles)('5. %s restarts', async (role) => {
  await rollOut(role, () => run(`kubectl rollout restart deployment/devops-api-${role} -n ${namespace}`))
})

it.each(roles)('5. A pod of %s is deleted', async (role) => {
  const [pod] = await podNames(role)
  await rollOut(role, () => run(`kubectl delete pod ${pod} -n ${namespace}`))
})

it('3. Weights move to 0/100: every reply is from canary', async () => {
  await move(0, 100)
  const replies = await load.next(5 * RATE)
  expect(distinct(replies.map(({ answer }) => answer))).toEqual(['200 canary v1.1.1-canary'])
})

it("3. Stable's image is set to canary's, and rolled out", async () => {
  edit('values-stable.yaml', { 'image.tag': 'v1.1.1-canary' })
  says.stable = ['200 stable v1.1.1-canary']
  await rollOut('stable', () => install('stable'))
})

it('3. Weights move to 100/0: every reply is from stable, which says the new version', async () => {
  await move(100, 0)
  const replies = await load.next(5 * RATE)
  expect(distinct(replies.map(({ answer }) => answer))).toEqual(['200 stable v1.1.1-canary'])
})

it('4. At 50/50 with a bad canary, one in five of its replies is an error', async () => {
  await rollOut('canary', () => install('canary', 'examples/bad-canary.yaml'))
  says.canary.push(injected)
  await move(50, 50)
  const replies = await load.next(1000, ({ role }) => role === 'canary')
  const errors = replies.filter(({ answer }) => answer === injected).length
  expectBetween(binomial(replies.length, 0.2), errors)
})

it('4. Rollback to 100/0 ends the errors within 5 s of the command', async () => {
  const { startedAt, appliedAt } = await move(100, 0)
  await load.next(5 * RATE)
  const errors = load.replies.filter(({ answer }) => answer === injected)
  const last = Math.max(...errors.map(({ sentAt, latency }) => sentAt + latency))
  // How long Helm itself takes is the machine's affair.
  expect(last - appliedAt).toBeLessThan(5000)
  figure('lastError', inSeconds(last - startedAt))
})

async function expectNothingLost(load: Load): Promise<void> {
  await load.stop()
  load.expectNothingLost()
  const { replies, duration } = load
  // On a busy machine a second may have none, and the next one more.
  const rate = (replies.length / duration) * 1000
  expect(Math.abs(rate / RATE - 1), `the load was ${rate} requests/s`).toBeLessThan(0.1)
}

it('5. Nothing was lost', async () => {
  await expectNothingLost(load)
  figure('rollouts', p50AndP99(duringRollouts))
})

it('6. helm rollback brings back the good canary', async () => {
  await run(`helm rollback devops-api-canary -n ${namespace}`)
  await rolledOut('canary')
  says.canary = ['200 canary v1.1.1-canary']
  await move(90, 10)
})

it('6. With a canary that never becomes ready, helm upgrade --wait fails, and the pods that served go on', async () => {
  const [stable, canary] = [await podNames('stable'), await podNames('canary')]
  secondLoad.start()
  const files = '--values values-canary.yaml --values examples/never-ready.yaml'
  const command = `helm upgrade devops-api-canary . ${files} -n ${namespace} --wait --timeout 15s`
  await expect(run(command)).rejects.toThrow('UPGRADE FAILED')
  expect(await podNames('stable')).toEqual(stable)
  expect(await podNames('canary')).toHaveLength(3)
  expect(distinct(secondLoad.replies.map(({ pod }) => pod))).toEqual([...canary, ...stable])
})

it('6. helm rollback takes it back', async () => {
  await run(`helm rollback devops-api-canary -n ${namespace}`)
  await rolledOut('canary')
  expect(await podNames('canary')).toHaveLength(2)
})

it('6. At 100/0, canary is uninstalled, and nothing is lost', async () => {
  await move(100, 0)
  await run(`helm uninstall devops-api-canary -n ${namespace}`)
  await poll(async () => expect(await podNames('canary')).toEqual([]))
  await expectNothingLost(secondLoad)
  figure('wire', range(secondsToWire))
  figure('lost', `0 of ${(load.replies.length + secondLoad.replies.length).toLocaleString('en')}`)
})

it('6. A missing canary costs its share, and Helm says so', async () => {
  says.canary = spreadsMissing ? says.stable : ['500 nobody ']
  const { notes } = await move(90, 10)
  expect(notes).toContain('WARNING: the Service devops-api-canary is not there (yet), so 10 % of the requests fail with 500.')
  if (!spreadsMissing) return expectOneInTen('missing', ({ role }) => role === '')
  expect(distinct((await sample(500)).map(({ answer }) => answer))).toEqual(says.stable)
  figure('missing', '0, all from stable')
})

it('6. helm test of stable fails then, and its log says why', async () => {
  await expect(helmTest()).rejects.toThrow(
    spreadsMissing ? /FAIL split\n/ : /^(FAIL|INCONCLUSIVE) availability\n.*the Service is missing\s+\(canary\).*\nFAIL\n/ms,
  )
  // Helm leaves a test that failed to be looked at, even when it uninstalls the release.
  await run(`kubectl delete pod -l app=devops-api-stable-test -n ${namespace}`)
})

it('6. A slow canary takes 50 ms as a rule, and 800 ms once in a hundred times', async () => {
  // The way there and back comes on top of what was asked for, and takes longer where the machine is busy.
  const way = (await sample(1000, 50)).filter(({ answer }) => answer.startsWith('200 stable')).map(({ latency }) => latency)
  says.canary = ['200 canary v1.1.1-canary']
  await install('canary', 'examples/slow-canary.yaml')
  await rolledOut('canary')
  editWeights(0, 100)
  await install('stable')
  await settle()
  const replies = await sample(6000, 50)
  expect(replies.filter(({ answer }) => !expectedAnswers().includes(answer))).toEqual([])
  figure('slow', p50AndP99(replies))
  const latencies = replies.map(({ latency }) => latency)
  for (const [q, asked] of [
    [0.5, 50],
    [0.99, 800],
  ] as const) {
    const [least, most] = quantileInterval(latencies, q)
    expect(most).toBeGreaterThan(asked)
    expect(least).toBeLessThan(asked + 5 + 2 * quantileInterval(way, q)[0])
  }
})

const expectNobody = () => poll(async () => expect((await ask()).role).toBe(''))

it('6. Uninstalled, both releases leave nothing behind', async () => {
  for (const role of roles) await run(`helm uninstall devops-api-${role} -n ${namespace}`)
  await poll(async () => expect(await objects()).toEqual(pristine))
  await expectNobody()
})

it('6. Installed again in the other order, all is as before', async () => {
  editWeights(90, 10)
  const notes = await install('canary')
  expect(notes).toContain('WARNING: the Service devops-api-stable is not there (yet), so nothing sends it requests.')
  await install('stable')
  await settle()
  await expectOneInTen('split', ({ role }) => role === 'canary')
})

it('6. The route can attach to a Gateway that somebody else runs', async () => {
  const { apiVersion, kind, spec } = JSON.parse(await run(`kubectl get gateway devops-api-stable -n ${namespace} -o json`))
  await run(`helm uninstall devops-api-stable -n ${namespace}`)
  await expectNobody()
  await run('kubectl create -f -', JSON.stringify({ apiVersion, kind, metadata: { name: 'shared', namespace }, spec }))
  edit('examples/shared-gateway.yaml', { 'gateway.namespace': namespace })
  await install('stable', 'examples/shared-gateway.yaml')
  await settle()
  const gateways = await run(`kubectl get gateways -n ${namespace} -o name`)
  expect(gateways).toBe('gateway.gateway.networking.k8s.io/shared')
})
