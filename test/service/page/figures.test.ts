import { describe, expect, it } from 'vitest'
import { alwaysValidInterval } from '../../../src/canary/verdict/statistics.ts'
import {
  type Answer,
  answerWith,
  asked,
  cards,
  lines,
  open,
  page,
  reached,
  reply,
  run,
  setRate,
  settle,
  text,
} from './openPage.ts'

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

  it('has an interval that is valid whenever one looks', async () => {
    await open((response, n) => {
      if (n <= 20) reply(response, n % 10 === 0 ? 'v2' : 'v1')
    })
    await expect.poll(() => text('#cards')).toContain('of 20 requests')
    // The page has no way to import the CLI's: both must say the same.
    const intervals = [18, 2].map((hits) =>
      alwaysValidInterval(hits, 20, 0.05)
        .map((share) => (share * 100).toFixed(1))
        .join('–'),
    )
    expect((await cards()).map(({ interval }) => interval)).toEqual(intervals.map((text) => `of 20 requests (95 %: ${text} %)`))
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
      ['reply cut off', (response) => response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy())],
      [
        'reply cut off of v2',
        (response) =>
          response
            .writeHead(200, { 'content-length': '100', 'app-version': 'v2', 'app-role': 'canary' })
            .write('{', () => response.destroy()),
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
    expect(canary).toMatchObject({ name: 'v2', requests: `${of('500 of v2') + of('503 of v2') + of('reply cut off of v2')}` })
    expect(canary?.errors).toMatch(/^100\.0 % /)
    for (const kind of ['500', '503', 'reply cut off']) expect(canary?.errors).toContain(`${of(`${kind} of v2`)} × ${kind}`)
    expect(nobody?.name).toBe('No version')
    for (const kind of ['500 without a version', '200 without a version', 'redirect', 'reply cut off', 'no answer within 3 s']) {
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
    await open((response, n) => kinds[n - 1]?.(response, n), { clock: true })
    while (!(await text('#cards')).includes('of 4 requests')) await page.clock.runFor(20)
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

    answerWith((response, n) => reply(response, `${versions[n % versions.length]}`))
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
    answerWith(seven('b'))
    await run(11_000)
    expect((await cards()).map(({ name }) => name)).toEqual(['Other versions'])
    await page.clock.fastForward(200_000)
    await run(11_000)
    expect((await cards()).map(({ name }) => name).toSorted()).toEqual(['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6'])
  })
})
