import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { launchBrowser, watchPage } from '../browser.ts'
import { certificate } from '../canary/promotion/certificate.ts'
import { chart, copyChart, edit, removeChart } from './chart.ts'
import { createNamespace, deleteNamespace, describeNamespace, env, namespace, poll, rolledOut, run } from './cluster.ts'
import { gateway, gatewayClass } from './gateway.ts'
import { install } from './releases.ts'
import { distinct } from './split.ts'

const root = join(import.meta.dirname, '../..')
const theirs = `${namespace}-gateways`
const host = 'secure.example.com'
const overlay = 'examples/shared-gateway.yaml'
const folder = mkdtempSync(join(tmpdir(), 'tls-'))
const authority = join(folder, 'cert.pem')
const origin = `https://${gateway.host}:${gateway.port}`

/** Somebody else's Gateway, which speaks HTTPS alone, on the port at which the gateway is reached from here. */
async function secureGateway(): Promise<void> {
  const key = join(folder, 'key.pem')
  const made = await certificate(host)
  writeFileSync(authority, made.cert)
  writeFileSync(key, made.key)
  await run(`kubectl create secret tls certificate -n ${theirs} --cert ${authority} --key ${key}`)
  const listener = {
    name: 'https',
    // As the chart's own Gateway has it.
    port: Number(await run(`kubectl get gateway devops-api-stable -n ${namespace} -o jsonpath={.spec.listeners[0].port}`)),
    protocol: 'HTTPS',
    hostname: host,
    tls: { mode: 'Terminate', certificateRefs: [{ name: 'certificate' }] },
    allowedRoutes: { namespaces: { from: 'All' } },
  }
  const metadata = { name: 'shared', namespace: theirs }
  const spec = { gatewayClassName: gatewayClass, listeners: [listener] }
  const object = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', metadata, spec }
  await run('kubectl create -f -', JSON.stringify(object))
}

beforeAll(async () => {
  copyChart()
  await createNamespace()
  await run(`kubectl create namespace ${theirs}`)
  await install('stable')
  await install('canary')
  await Promise.all([rolledOut('stable'), rolledOut('canary')])
  await secureGateway()
  edit('values-stable.yaml', { 'traffic.announce': true })
  edit(overlay, { 'gateway.name': 'shared', 'gateway.namespace': theirs, 'gateway.sectionName': 'https' })
  edit(overlay, { 'gateway.hostnames': [host] })
  await install('stable', overlay)
})

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(await describeNamespace())
})

afterAll(async () => {
  await run(`kubectl delete namespace ${theirs} --ignore-not-found --timeout=120s`)
  await deleteNamespace().finally(removeChart)
  rmSync(folder, { recursive: true })
})

async function cli(command: string, trusted = true): Promise<{ exitCode: number | undefined; all: string }> {
  const { exitCode, all } = await execa(process.execPath, ['src/canary/main.ts', ...command.split(' ')], {
    cwd: root,
    env: { ...env, ...(trusted && { NODE_EXTRA_CA_CERTS: authority }) },
    reject: false,
    all: true,
  })
  return { exitCode, all }
}

const place = `--chart ${chart} --namespace ${namespace} --values ${join(chart, overlay)} --url ${origin} --host ${host}`

it('check passes through HTTPS', async () => {
  await poll(async () => {
    const { exitCode, all } = await cli(`check ${origin} --host ${host}`)
    expect(all).toMatch(/\nexpected: stable 90 %, canary 10 % \(announced by the gateway\)\n.*\nPASS\n?$/s)
    expect(exitCode).toBe(0)
  })
})

it('A certificate of an authority that is not trusted is no verdict, and is named', async () => {
  const { exitCode, all } = await cli(`check ${origin} --host ${host} --expect 90/10`, false)
  expect(all).toMatch(/certificate|self-signed/i)
  expect(exitCode).toBe(2)
})

it('status, shift and promote work through HTTPS', async () => {
  expect(await cli(`status ${place}`)).toEqual({ exitCode: 0, all: expect.stringContaining('All of it agrees.') })
  expect(await cli(`shift 50/50 ${place}`)).toEqual({ exitCode: 0, all: expect.stringContaining('PASS split') })
  const promoted = expect.stringContaining('Promoted: stable serves everything, as v1.1.1-canary.')
  expect(await cli(`promote ${place}`)).toEqual({ exitCode: 0, all: promoted })
  expect(await cli(`shift 75/25 ${place}`)).toEqual({ exitCode: 0, all: expect.stringContaining('PASS split') })
})

it('The live page shows the split through HTTPS', async () => {
  const browser = await launchBrowser([`--host-resolver-rules=MAP ${host} ${gateway.host}`])
  const page = await browser.newPage({ ignoreHTTPSErrors: true })
  const { lines, urls } = watchPage(page)
  const at = `https://${host}:${gateway.port}`
  await page.goto(at)
  await page.locator('#rate').fill('50')
  await poll(async () => {
    expect(await page.locator('#cards').innerText()).toContain('of 500 requests')
    expect(await page.locator('#verdict').innerText()).toBe('Configured and observed agree')
  })
  expect(await page.locator('#comparison td').allInnerTexts()).toEqual(expect.arrayContaining(['75.0 %', '25.0 %']))
  expect(lines).toEqual([])
  expect(distinct(urls)).toEqual([`${at}/`, `${at}/version`])
  await browser.close()
})

it('rollback works through HTTPS', async () => {
  expect(await cli(`rollback ${place}`)).toEqual({ exitCode: 0, all: expect.stringContaining('Every reply came from stable') })
})
