import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { launchBrowser, navigate, watchPage } from '../browser.ts'
import { chart, edit } from './chart.ts'
import { namespace, poll, run } from './cluster.ts'
import { gateway } from './gateway.ts'
import { install } from './releases.ts'
import { canary, secureHost as host, shareGateway, theirs, tls } from './sharedGateway.ts'
import { distinct } from './split.ts'

const overlay = 'examples/shared-gateway.yaml'
const origin = `https://${gateway.host}:${gateway.port}`

beforeAll(async () => {
  // As the chart's own Gateway has it, which is where the gateway is reached from here.
  const port = Number(await run(`kubectl get gateway devops-api-stable -n ${namespace} -o jsonpath={.spec.listeners[0].port}`))
  await shareGateway([{ name: 'https', port, protocol: 'HTTPS', hostname: host, tls }])
  edit('values-stable.yaml', { 'traffic.announce': true })
  edit(overlay, { 'gateway.name': 'shared', 'gateway.namespace': theirs, 'gateway.sectionName': 'https' })
  edit(overlay, { 'gateway.hostnames': [host] })
  await install('stable', overlay)
})
const place = `--chart ${chart} --namespace ${namespace} --values ${join(chart, overlay)} --url ${origin} --host ${host}`

it('check passes through HTTPS', async () => {
  await poll(async () => {
    const { exitCode, all } = await canary(`check ${origin} --host ${host}`)
    expect(all).toMatch(/\nexpected: stable 90 %, canary 10 % \(announced by the gateway\)\n.*\nPASS\n?$/s)
    expect(exitCode).toBe(0)
  })
})

it('A certificate of an authority that is not trusted is no verdict, and is named', async () => {
  const { exitCode, all } = await canary(`check ${origin} --host ${host} --expect 90/10`, false)
  expect(all).toMatch(/certificate|self-signed/i)
  expect(exitCode).toBe(2)
})

it('status, shift and promote work through HTTPS', async () => {
  expect(await canary(`status ${place}`)).toEqual({ exitCode: 0, all: expect.stringContaining('All of it agrees.') })
  expect(await canary(`shift 50/50 ${place}`)).toEqual({ exitCode: 0, all: expect.stringContaining('PASS split') })
  const promoted = expect.stringContaining('Promoted: stable serves everything, as v1.1.1-canary.')
  expect(await canary(`promote ${place}`)).toEqual({ exitCode: 0, all: promoted })
  expect(await canary(`shift 75/25 ${place}`)).toEqual({ exitCode: 0, all: expect.stringContaining('PASS split') })
})

it('The live page shows the split through HTTPS', async () => {
  const browser = await launchBrowser([`--host-resolver-rules=MAP ${host} ${gateway.host}`])
  const page = await browser.newPage({ ignoreHTTPSErrors: true })
  const { lines, urls } = watchPage(page)
  const at = `https://${host}:${gateway.port}`
  await navigate(page, at)
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
  expect(await canary(`rollback ${place}`)).toEqual({
    exitCode: 0,
    all: expect.stringContaining('Every reply came from stable'),
  })
})
