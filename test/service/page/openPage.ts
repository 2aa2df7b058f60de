import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Browser, Page, Request, ViewportSize } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest'
import { buildApp } from '../../../src/service/app.ts'
import { launchBrowser, navigate, watchPage } from '../../browser.ts'

export const axe = readFileSync(join(import.meta.dirname, '../../../node_modules/axe-core/axe.min.js'), 'utf8')

/** How the n-th request for the version is answered. */
export type Answer = (response: ServerResponse, n: number) => void

let browser: Browser
let answer: Answer
let document: Buffer
let policy: string
/** Paths of the requests for anything but the page itself. */
export let asked: string[] = []
export let mostUnderWay = 0
export let page: Page
export let lines: string[]
const pending = new Set<Request>()

// A browser asks again, unseen by the page, where a connection ends that it was about to use.
const server = createServer({ keepAliveTimeout: 600_000 }, ({ url = '' }, response) => {
  if (!url.endsWith('/version')) {
    response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': policy }).end(document)
    return
  }
  asked.push(url)
  underWay++
  mostUnderWay = Math.max(mostUnderWay, underWay)
  response.on('close', () => underWay--)
  answer(response, asked.length)
})
let underWay = 0

beforeAll(async () => {
  const app = await buildApp({ LOG_LEVEL: 'silent' })
  const reply = await app.inject('/')
  document = reply.rawPayload
  policy = `${reply.headers['content-security-policy']}`
  await app.close()
  browser = await launchBrowser()
  await once(server.listen(0, '127.0.0.1'), 'listening')
})
afterEach(() => page.context().close())
afterAll(async () => {
  await browser.close()
  server.closeAllConnections()
  server.close()
})

interface Settings {
  path?: string
  viewport?: ViewportSize
  dark?: boolean
  /** With a clock that stands still until it is told to run, and a gap between requests that is always the average one. */
  clock?: boolean
}

/** Has the open page's requests answered in another way from now on. */
export const answerWith = (how: Answer): void => {
  answer = how
}

export async function open(how: Answer, { path = '/', viewport, dark, clock }: Settings = {}) {
  answer = how
  asked = []
  mostUnderWay = 0
  page = await browser.newPage({ ...(viewport && { viewport }), colorScheme: dark ? 'dark' : 'light' })
  ;({ lines } = watchPage(page))
  pending.clear()
  page.on('request', (request) => pending.add(request))
  page.on('requestfinished', (request) => pending.delete(request))
  page.on('requestfailed', (request) => pending.delete(request))
  if (clock) {
    await page.clock.install({ time: 0 })
    await page.clock.pauseAt(1000)
    await page.addInitScript('Math.random = () => 0.5')
  }
  await navigate(page, `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`)
}

export const reply = (response: ServerResponse, version: string, role = '', headers: Record<string, string> = {}) =>
  response
    .writeHead(200, { 'app-version': version, 'app-pod': `pod-of-${version}`, ...(role && { 'app-role': role }), ...headers })
    .end(JSON.stringify({ version }))

/** Nine replies of stable, one of the canary, and so on. */
export const ninety =
  (announced?: string): Answer =>
  (response, n) => {
    const [version, role] = n % 10 === 0 ? ['v2', 'canary'] : ['v1', 'stable']
    reply(response, version, role, announced ? { 'traffic-split': announced } : {})
  }

export const text = (selector: string) => page.locator(selector).innerText()
export const setRate = (rate: number) => page.locator('#rate').fill(`${rate}`)
export const reached = (count: number) =>
  vi.waitFor(() => expect(asked.length).toBeGreaterThanOrEqual(count), { timeout: 60_000 })

/** Stops asking, and waits until every request has been answered, and shows in the counts, or the window is full. */
export async function settle() {
  // By the keyboard: a button that moves between press and release, as a card comes, is not clicked.
  await page.keyboard.press(' ')
  // What was sent may not have come to the server yet: the page's own script knows.
  await expect.poll(() => page.evaluate('paused && inFlight')).toBe(0)
  await expect.poll(() => text('#state')).toBe('Paused')
  const counted = Math.min(asked.length, 500)
  await expect.poll(() => text('#cards')).toContain(`of ${counted} requests`)
  return counted
}

/** Runs the page's clock, slowly enough for each request to be answered before the next. */
export async function run(ms: number) {
  for (let done = 0; done < ms; done += 20) {
    await page.clock.runFor(20)
    await vi.waitFor(() => expect(pending.size).toBe(0), { timeout: 60_000, interval: 1 })
  }
}

interface Card {
  name: string
  role: string
  share: string
  interval: string
  requests: string
  errors: string
  p50: string
  p95: string
  pods: string
}

export const cards = (): Promise<Card[]> =>
  page.locator('#cards > li').evaluateAll((items) =>
    items.map((item) => {
      const fields = [...item.querySelectorAll('[data-field]')]
      return Object.fromEntries(fields.map((field) => [field.dataset.field, field.innerText])) as unknown as Card
    }),
  )
