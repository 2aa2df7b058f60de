import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Browser, Page, Request, ViewportSize } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { buildApp } from '../../src/service/app.ts'
import { launchBrowser, watchPage } from '../browser.ts'

const axe = readFileSync(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8')

/** How the n-th request for the version is answered. */
type Answer = (response: ServerResponse, n: number) => void

let browser: Browser
let answer: Answer
let document: Buffer
let policy: string
/** Paths of the requests for anything but the page itself. */
let asked: string[] = []
let mostUnderWay = 0
let page: Page
let lines: string[]
const pending = new Set<Request>()

const server = createServer(({ url = '' }, response) => {
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

async function open(how: Answer, { path = '/', viewport, dark, clock }: Settings = {}) {
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
    await page.addInitScript('Math.random = () => 0.5')
  }
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`)
  if (clock) await page.clock.pauseAt(1000)
}

const reply = (response: ServerResponse, version: string, role = '', headers: Record<string, string> = {}) =>
  response
    .writeHead(200, { 'app-version': version, 'app-pod': `pod-of-${version}`, ...(role && { 'app-role': role }), ...headers })
    .end(JSON.stringify({ version }))

/** Nine replies of stable, one of the canary, and so on. */
const ninety =
  (announced?: string): Answer =>
  (response, n) => {
    const [version, role] = n % 10 === 0 ? ['v2', 'canary'] : ['v1', 'stable']
    reply(response, version, role, announced ? { 'traffic-split': announced } : {})
  }

const text = (selector: string) => page.locator(selector).innerText()
const setRate = (rate: number) => page.locator('#rate').fill(`${rate}`)
const reached = (count: number) => vi.waitFor(() => expect(asked.length).toBeGreaterThanOrEqual(count), { timeout: 60_000 })

/** Stops asking, and waits until the page has counted every request that the server saw, or the window is full. */
async function settle() {
  await page.locator('#pause').click()
  await expect.poll(() => text('#state')).toBe('Paused')
  const counted = Math.min(asked.length, 500)
  await expect.poll(() => text('#cards')).toContain(`of ${counted} requests`)
  return counted
}

/** Runs the page's clock, slowly enough for each request to be answered before the next. */
async function run(ms: number) {
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

const cards = (): Promise<Card[]> =>
  page.locator('#cards > li').evaluateAll((items) =>
    items.map((item) => {
      const fields = [...item.querySelectorAll('[data-field]')]
      return Object.fromEntries(fields.map((field) => [field.dataset.field, field.innerText])) as unknown as Card
    }),
  )

describe('the live page, in Chromium', () => {
  it('waits for the first reply, without a number', async () => {
    await open(() => {})
    await reached(1)
    expect(await text('#state')).toBe('Waiting for the first reply')
    expect(await text('#verdict')).toBe('Waiting for the first reply')
    expect(await text('main')).not.toMatch(/\d %/)
  })

  it('shows the share, its interval, the latency, the role and the pods of each version', async () => {
    await open((response, n) => {
      if (n % 10 === 0) setTimeout(() => reply(response, 'v2', 'canary'), 40)
      else reply(response, 'v1', 'stable')
    })
    await setRate(50)
    await reached(100)
    const total = await settle()
    const canary = Math.floor(asked.length / 10)
    const [first, second, ...others] = await cards()
    expect(others).toEqual([])
    expect(first).toMatchObject({ name: 'v1', role: 'stable', requests: `${total - canary}`, errors: '0', pods: 'pod-of-v1' })
    expect(second).toMatchObject({ name: 'v2', role: 'canary', requests: `${canary}`, errors: '0', pods: 'pod-of-v2' })
    expect(second?.share).toBe(`${((canary / total) * 100).toFixed(1)} %`)
    expect(Number.parseFloat(`${second?.p50}`)).toBeGreaterThanOrEqual(40)
    expect(Number.parseFloat(`${second?.p95}`)).toBeGreaterThanOrEqual(Number.parseFloat(`${second?.p50}`))
    expect(lines).toEqual([])
  })

  it("has Wilson's interval", async () => {
    await open((response, n) => {
      if (n <= 20) reply(response, n % 10 === 0 ? 'v2' : 'v1')
    })
    await expect.poll(() => text('#cards')).toContain('of 20 requests')
    // For 2 of 20, as in Brown, Cai, DasGupta: Interval Estimation for a Binomial Proportion (2001).
    expect((await cards())[1]?.interval).toBe('of 20 requests (95 %: 2.8–30.1 %)')
  })

  it('counts whatever comes instead of a version, in every share', async () => {
    const sent = new Map<string, number>()
    const kinds: [name: string, Answer][] = [
      ['fine', (response) => reply(response, 'v1', 'stable')],
      ['fine', (response) => reply(response, 'v1', 'stable')],
      ['500 of v2', (response) => response.writeHead(500, { 'app-version': 'v2', 'app-role': 'canary' }).end()],
      ['503 of v2', (response) => response.writeHead(503, { 'app-version': 'v2', 'app-role': 'canary' }).end()],
      ['500 without a version', (response) => response.writeHead(500).end('no such Service')],
      ['200 without a version', (response) => response.end('<h1>It works!</h1>')],
      ['200 without a version', (response) => response.end('{"version":5}')],
      ['200 without a version', (response) => response.end('null')],
      ['200 without a version', (response) => response.writeHead(200, { 'app-version': 'v1' }).end('{}')],
      ['redirect', (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/version' }).end()],
      [
        'connection failed',
        (response) => response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy()),
      ],
      ['no answer within 3 s', () => {}],
    ]
    await open((response, n) => {
      const [kind, respond] = kinds[n % kinds.length] as [string, Answer]
      sent.set(kind, (sent.get(kind) ?? 0) + 1)
      respond(response, n)
    })
    await setRate(50)
    await reached(60)
    const total = await settle()
    const of = (kind: string) => sent.get(kind) ?? 0
    const [stable, canary, nobody, ...others] = await cards()
    expect(others).toEqual([])
    expect(stable).toMatchObject({ name: 'v1', requests: `${of('fine')}`, errors: '0' })
    expect(stable?.share).toBe(`${((of('fine') / total) * 100).toFixed(1)} %`)
    expect(canary).toMatchObject({ name: 'v2', requests: `${of('500 of v2') + of('503 of v2')}` })
    expect(canary?.errors).toMatch(/^100\.0 % /)
    for (const status of [500, 503]) expect(canary?.errors).toContain(`${of(`${status} of v2`)} × ${status}`)
    expect(nobody?.name).toBe('No version')
    for (const kind of [
      '500 without a version',
      '200 without a version',
      'redirect',
      'connection failed',
      'no answer within 3 s',
    ]) {
      expect(of(kind)).toBeGreaterThan(0)
      expect(nobody?.errors).toContain(`${of(kind)} × ${kind}`)
    }
    const requests = [stable, canary, nobody].reduce((sum, card) => sum + Number(card?.requests), 0)
    expect(requests).toBe(asked.length)
  })

  it.each<[string, Answer]>([
    ['a 503', (response) => response.writeHead(503).end()],
    ['a closed connection', (response) => response.destroy()],
  ])('says when every request fails, with %s', async (_name, fail) => {
    await open(fail)
    await expect.poll(() => text('#state')).toBe('Every request fails')
  })

  it('draws a failed request and each version differently, also without colour', async () => {
    const kinds: Answer[] = [
      (response) => reply(response, 'v1.1.1'),
      (response) => reply(response, 'v1.1.1-canary'),
      (response) => response.writeHead(500, { 'app-version': 'v1.1.1' }).end(),
      (response) => response.writeHead(503).end(),
    ]
    await open((response, n) => kinds[n - 1]?.(response, n))
    await expect.poll(() => text('#cards')).toContain('of 4 requests')
    // Light and dark parts of each square, by row; the newest, which has a frame, is left out.
    const patterns = await page.locator('#grid').evaluate((canvas) => {
      const size = Math.floor(canvas.width / 25)
      return [0, 1, 2].map((column) => {
        const { data } = canvas.getContext('2d').getImageData(column * size + 4, 4, size - 8, size - 8)
        return Array.from({ length: data.length / 4 }, (_, pixel) => {
          const sum = Number(data[pixel * 4]) + Number(data[pixel * 4 + 1]) + Number(data[pixel * 4 + 2])
          return Number(sum > 600)
        }).join('')
      })
    })
    expect(new Set(patterns).size).toBe(3)
  })

  it.each([true, false])('hatches failures, and only them, in the share over time: %s', async (fails) => {
    await open((response) => response.writeHead(fails ? 500 : 200, { 'app-version': 'v1' }).end('{"version":"v1"}'))
    await expect.poll(() => text('#cards')).toMatch(/of [1-9]\d* requests/)
    const kinds = await page.locator('#strip').evaluate((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(canvas.width - 2, 0, 1, canvas.height)
      const colours = Array.from({ length: canvas.height }, (_, y) => data.slice(4 * y, 4 * y + 3).join())
      return { painted: colours.every((colour) => colour !== '0,0,0'), failed: colours.includes('179,38,30') }
    })
    expect(kinds).toEqual({ painted: true, failed: fails })
  })

  it('gives a version the same colour every time, and no two versions one', async () => {
    const versions = ['v1.1.1', 'v1.1.1-canary', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8']
    const colours = () =>
      page
        .locator('#cards > li')
        .evaluateAll((items) =>
          items.map((item) => [item.querySelector('[data-field=name]').innerText, item.style.getPropertyValue('--colour')]),
        )
    await open((response, n) => reply(response, `${versions[n % 2]}`))
    await expect.poll(() => page.locator('#cards > li').count()).toBe(2)
    const two = Object.fromEntries(await colours())
    await page.reload()
    await expect.poll(() => page.locator('#cards > li').count()).toBe(2)
    expect(Object.fromEntries(await colours())).toEqual(two)

    answer = (response, n) => reply(response, `${versions[n % versions.length]}`)
    await expect.poll(() => page.locator('#cards > li').count()).toBe(8)
    const all = await colours()
    expect(new Set(all.map(([, colour]) => colour)).size).toBe(8)
    expect(Object.fromEntries(all)).toMatchObject(two)
    expect(all.at(-1)?.[0]).toBe('Other versions')
    expect(await page.locator('#cards > li').last().innerText()).toMatch(/Other versions/)
  })

  it('keeps the last 500 requests', async () => {
    await open((response, n) => reply(response, n <= 50 ? 'v1' : 'v2'), { clock: true })
    await setRate(50)
    while (asked.length < 560) await run(1000)
    await expect.poll(() => text('#cards')).toContain('of 500 requests')
    const all = await cards()
    expect(all.map(({ name, requests }) => [name, requests])).toEqual([['v2', '500']])
  })

  it('gives a card to a version as soon as one is free, after those before it have left', async () => {
    const seven = (prefix: string): Answer => {
      return (response, n) => reply(response, `${prefix}${n % 7}`)
    }
    await open(seven('a'), { clock: true })
    await setRate(50)
    await run(1000)
    answer = seven('b')
    await run(11_000)
    expect((await cards()).map(({ name }) => name)).toEqual(['Other versions'])
    await page.clock.fastForward(200_000)
    await run(11_000)
    expect((await cards()).map(({ name }) => name).toSorted()).toEqual(['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6'])
  })
})

describe('the announced split, on the live page', () => {
  const settled = async (announced: string, how = ninety(announced)) => {
    await open(how)
    await setRate(50)
    await reached(150)
    await settle()
  }

  it('stands beside the observed one, and agrees', async () => {
    await settled('stable=90, canary=10')
    expect(await text('#verdict')).toBe('Configured and observed agree')
    expect(await text('#configured-stable')).toBe('90.0 %')
    expect(await text('#configured-canary')).toBe('10.0 %')
    expect(await text('#observed-canary')).toBe(`${((Math.floor(asked.length / 10) / asked.length) * 100).toFixed(1)} %`)
    expect(await text('#interval-canary')).toMatch(/^\d+\.\d–\d+\.\d %$/)
    expect(await text('#evidence')).toBe(`${asked.length} requests since it was announced`)
  })

  it('reads weights as weights, not as percentages', async () => {
    await settled('stable=9, canary=1')
    expect(await text('#verdict')).toBe('Configured and observed agree')
    expect(await text('#configured-canary')).toBe('10.0 %')
  })

  it.each(['stable=50, canary=50', 'stable=100, canary=0'])('%s does not agree with 90/10', async (announced) => {
    await settled(announced)
    expect(await text('#verdict')).toBe('Configured and observed do not agree')
  })

  it('does not agree when a share is answered by neither', async () => {
    const announced = 'stable=90, canary=10'
    await settled(announced, (response, n) => {
      if (n % 5 === 0) response.writeHead(500).end()
      else ninety(announced)(response, n)
    })
    expect(await text('#verdict')).toBe('Configured and observed do not agree')
    expect(await text('#evidence')).toContain(`${Math.floor(asked.length / 5)} of them answered by neither`)
  })

  it('says that a few requests tell little', async () => {
    await open((response, n) => {
      if (n <= 20) ninety('stable=90, canary=10')(response, n)
    })
    await expect.poll(() => text('#evidence')).toBe('20 requests since it was announced')
    expect(await text('#verdict')).toBe('Too few requests to tell yet')
  })

  it('judges only what came since it last changed', async () => {
    await settled('stable=90, canary=10')
    const before = asked.length
    answer = (response, n) =>
      reply(response, n % 2 ? 'v1' : 'v2', n % 2 ? 'stable' : 'canary', { 'traffic-split': 'stable=1, canary=1' })
    await page.locator('#pause').click()
    await reached(before + 50)
    await settle()
    expect(await text('#configured-canary')).toBe('50.0 %')
    expect(await text('#evidence')).toBe(`${asked.length - before} requests since it was announced`)
    expect(await text('#verdict')).toBe('Configured and observed agree')
  })

  it.each([
    [undefined, 'Not announced by the route (traffic.announce in the chart)'],
    ['half and half', 'Announced as “half and half”'],
    ['stable=0, canary=0', 'Announced as “stable=0, canary=0”'],
  ])('announced as %s, it is shown as what it is', async (announced, shown) => {
    await open(ninety(announced))
    await expect.poll(() => text('#verdict')).toBe(shown)
    expect(await page.locator('#comparison').isVisible()).toBe(false)
  })
})

describe('the pace of the live page', () => {
  /** Where the clock stops may part one request from its neighbours. */
  const about = (count: number) => [count - 1, count, count + 1]
  const requestsIn = async (ms: number) => {
    const before = asked.length
    await run(ms)
    return asked.length - before
  }

  it('is 10 requests a second at first, and what the slider says, from 1 to 50', async () => {
    await open(ninety(), { clock: true })
    await run(100)
    expect(about(20)).toContain(await requestsIn(2000))
    await page.locator('#rate').focus()
    await page.keyboard.press('End')
    expect(await text('#rate-value')).toBe('50')
    expect(about(100)).toContain(await requestsIn(2000))
    await page.keyboard.press('Home')
    expect(await text('#rate-value')).toBe('1')
    await run(1000)
    expect(about(3)).toContain(await requestsIn(3000))
  })

  it('falls in step with nothing, as each request comes after a gap of its own', async () => {
    const times: number[] = []
    await open((response, n) => {
      times.push(performance.now())
      ninety()(response, n)
    })
    await setRate(50)
    await reached(200)
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0))
    // A quarter of each is to be expected.
    expect(gaps.filter((gap) => gap < 10).length).toBeGreaterThan(25)
    expect(gaps.filter((gap) => gap > 30).length).toBeGreaterThan(25)
  })

  it('is neither faster nor slower while the slider moves', async () => {
    await open(ninety(), { clock: true })
    await run(100)
    const before = asked.length
    for (let step = 0; step < 50; step++) {
      await setRate(10 + (step % 2))
      await run(20)
    }
    expect(about(10)).toContain(asked.length - before)
  })

  it.each([
    ['the space bar', () => page.keyboard.press('Space')],
    ['the space bar with the slider focused', () => page.locator('#rate').press('Space')],
    ['the space bar on the button', () => page.locator('#pause').press('Space')],
    ['the button', () => page.locator('#pause').click()],
  ])('is paused and resumed by %s', async (_name, toggle) => {
    await open(ninety(), { clock: true })
    await run(500)
    await toggle()
    expect(await text('#state')).toBe('Paused')
    expect(await page.getByRole('button').innerText()).toMatch(/^Resume/)
    expect(await requestsIn(2000)).toBe(0)
    await toggle()
    expect(await page.getByRole('button').innerText()).toMatch(/^Pause/)
    expect(await requestsIn(2000)).toBeGreaterThanOrEqual(20)
  })

  it('is nil in a hidden tab', async () => {
    await open(ninety(), { clock: true })
    await run(500)
    const hide = (hidden: boolean) =>
      page.evaluate(`
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${hidden} })
        document.dispatchEvent(new Event('visibilitychange'))
      `)
    await hide(true)
    expect(await requestsIn(2000)).toBe(0)
    await hide(false)
    expect(await requestsIn(2000)).toBeGreaterThanOrEqual(20)
    await page.keyboard.press('Space')
    await hide(true)
    await hide(false)
    expect(await requestsIn(2000)).toBe(0)
  })

  it('never has more than six requests under way, and says so', async () => {
    await open(() => {})
    await setRate(50)
    await reached(12)
    await expect.poll(() => text('#pace')).toContain('6 are under way, more must wait')
    expect(mostUnderWay).toBe(6)
  })
})

describe('everybody can read the live page', () => {
  it.each(['/some/prefix', '/some/prefix/', '/'])('at %s', async (path) => {
    await open(ninety(), { path })
    await reached(2)
    expect(new Set(asked)).toEqual(new Set([`${path.replace(/\/$/, '')}/version`]))
  })

  const sizes = { phone: { width: 320, height: 640 }, desktop: { width: 1280, height: 720 } }
  it.each([
    ['phone', false],
    ['phone', true],
    ['desktop', false],
    ['desktop', true],
  ] as const)('on a %s, dark: %s', async (size, dark) => {
    await open(
      (response, n) => {
        if (n % 7 === 0) response.writeHead(500, { 'app-version': 'v1', 'traffic-split': 'stable=1, canary=1' }).end()
        else if (n % 5 === 0) response.writeHead(503).end()
        else reply(response, n % 3 ? 'v1' : 'x'.repeat(128), 'stable', { 'traffic-split': 'stable=1, canary=1' })
      },
      { viewport: sizes[size], dark },
    )
    await setRate(50)
    await reached(60)
    await settle()
    expect(await text('#verdict')).toBe('Configured and observed do not agree')
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
    expect(overflow).toBeLessThanOrEqual(0)
    await page.evaluate(axe)
    const { violations, incomplete } = (await page.evaluate('axe.run()')) as Record<string, { id: string; nodes: unknown[] }[]>
    expect(violations).toEqual([])
    expect(incomplete).toEqual([])
  })
})
