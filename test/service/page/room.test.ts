import { describe, expect, it } from 'vitest'
import { type Answer, asked, ninety, open, page, reply, run, setRate, text } from './openPage.ts'

/** Has every request up to the n-th answered, counted and drawn. */
const runUntil = async (n: number) => {
  while (asked.length < n) await run(20)
  await page.locator('#pause').press('Space')
  await run(260)
  expect(await page.locator('#grid').getAttribute('aria-label')).toContain(`last ${n} requests`)
  await page.locator('#pause').press('Space')
}

/** The colour in the middle of an edge of the n-th square, inside of its frame. */
const colourAt = (n: number) =>
  page.locator('#grid').evaluate((canvas, index) => {
    const cell = canvas.width / 25
    const [x, y] = [((index % 25) + 0.5) * cell, (Math.floor(index / 25) + 0.27) * cell]
    return canvas.getContext('2d').getImageData(x, y, 1, 1).data.slice(0, 3).join()
  }, n - 1)

const [ink, red] = ['23,26,31', '179,38,30']

describe('what changes, on the live page', () => {
  /** From which request on, which weights, and which versions of stable and canary. */
  const phases: [from: number, weights: [number, number], stable: string, canary: string][] = [
    [101, [100, 0], 'v4', 'v3'],
    [71, [0, 100], 'v1', 'v3'],
    [49, [100, 0], 'v1', 'v3'],
    [37, [50, 50], 'v1', 'v3'],
    [13, [50, 50], 'v1', 'v2'],
    [1, [90, 10], 'v1', 'v2'],
  ]
  const story: Answer = (response, n) => {
    const [, weights, stable, canary] = phases.find(([from]) => n >= from) ?? expect.fail()
    const headers = { 'traffic-split': `stable=${weights[0]}, canary=${weights[1]}` }
    const isCanary = (n * weights[1]) % 100 < weights[1]
    if (n === 37) response.writeHead(500, { 'app-version': canary, 'app-role': 'canary', ...headers }).end()
    else if (isCanary) reply(response, canary, 'canary', headers)
    else reply(response, stable, 'stable', headers)
  }

  it('is marked where it happened, with the time, and tells a rollback from the end of a promotion', async () => {
    await open((response, n) => (n === 37 ? story(response, 38) : story(response, n)), { clock: true })
    await setRate(50)
    await runUntil(48)
    const log = page.getByRole('log', { name: 'What changed' }).locator('p')
    const time = '\\d\\d:\\d\\d:\\d\\d'
    expect(await log.allInnerTexts()).toEqual([
      expect.stringMatching(`^A ${time} weights 90/10 to 50/50$`),
      expect.stringMatching(`^B ${time} canary v2 to v3$`),
    ])
    expect(await colourAt(13)).toBe(ink)
    expect(await colourAt(14)).not.toBe(ink)
    await runUntil(102)
    expect((await log.allInnerTexts()).map((line) => line.replace(/\S+:\S+ /, ''))).toEqual([
      'C rollback 50/50 to 100/0',
      'D weights 100/0 to 0/100',
      'E weights 0/100 to 100/0, stable v1 to v4',
    ])
    const foot = await page.locator('#strip').evaluate((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, canvas.height - 1, canvas.width, 1)
      return Array.from({ length: canvas.width }, (_, x) => data.slice(4 * x, 4 * x + 4).join())
    })
    // From edge to edge, with a line for each.
    expect(foot.filter((colour) => colour.endsWith(',0'))).toEqual([])
    expect(foot.join(' ').split(`${ink},255 ${ink},255`).length).toBeGreaterThan(5)
  })

  it('is not what alternates: pods are replaced, and gateways told, one by one', async () => {
    await open(
      (response, n) =>
        reply(response, n % 3 ? 'v1' : 'v2', 'stable', { 'traffic-split': n % 2 ? 'stable=1, canary=1' : 'stable=9, canary=1' }),
      { clock: true },
    )
    await setRate(50)
    await runUntil(60)
    expect(await text('#moments')).toBe('')
  })

  it('shows of a failed request that it changed something, and of any who, what, when and how long', async () => {
    await open(story, { clock: true })
    await setRate(50)
    await runUntil(38)
    expect(await colourAt(37)).toBe(red)
    await page.locator('#grid').hover({ position: { x: 10, y: 10 } })
    expect(await text('#about')).toMatch(/^v1, stable, pod-of-v1\n200 at \d\d:\d\d:\d\d, after \d+(\.\d)? ms$/)
    await page.mouse.move(0, 0)
    expect(await page.locator('#about').isVisible()).toBe(false)

    const slider = page.getByRole('slider', { name: 'Of the last 38 requests' })
    await slider.focus()
    for (const key of ['ArrowUp', 'ArrowLeft', 'ArrowDown']) await page.keyboard.press(key)
    const shown = await text('#about')
    expect(shown).toMatch(/^v3, canary\n500 at \d\d:\d\d:\d\d, after .* ms\nB: canary v2 to v3$/)
    expect(await slider.getAttribute('aria-valuetext')).toBe(shown)
    await page.keyboard.press('Escape')
    expect(await page.locator('#about').isVisible()).toBe(false)
  })
})

describe('for a room', () => {
  const box = async (selector: string) => (await page.locator(selector).first().boundingBox()) ?? expect.fail(selector)

  it.each([
    ['projector', { width: 1920, height: 1080 }, 0.12],
    ['phone', { width: 390, height: 844 }, 0.04],
  ])('fills a %s with the grid, the shares and the split, and nothing else', async (name, viewport, readable) => {
    await open(ninety('stable=90, canary=10'), { clock: true, viewport })
    await setRate(50)
    await runUntil(40)
    const { y } = await box('#requests')
    for (const other of ['#split', '#versions', '#history']) {
      const { y: below } = await box(other)
      if (name === 'phone') expect(below).toBeGreaterThan(y)
    }

    await page.locator('#rate').blur()
    await page.keyboard.press('f')
    for (const hidden of ['h1', '#rate', '#pause', '#state', '#history', 'table', 'dl', '.bar'])
      expect(await page.locator(hidden).first().isVisible(), hidden).toBe(false)
    expect(await text('#cards')).toContain('canary configured: 10.0 %')
    expect(await text('#verdict')).toMatch(/^Cannot tell yet, about \d+ more requests$/)
    const { width, height } = await box('#grid')
    expect(width * height).toBeGreaterThan(0.55 * viewport.width * viewport.height)
    const share = await box('.share strong')
    expect(share.height).toBeGreaterThan(readable * viewport.height)
    expect(await page.evaluate('[document.body.scrollWidth <= innerWidth, document.body.scrollHeight <= innerHeight]')).toEqual([
      true,
      true,
    ])

    await page.keyboard.press('Space')
    await expect.poll(() => text('#state')).toBe('Paused')
    await page.getByRole('button', { name: 'Leave' }).click()
    expect(await page.locator('h1').isVisible()).toBe(true)
    await page.keyboard.press('f')
    await page.keyboard.press('Escape')
    await expect.poll(() => page.locator('h1').isVisible()).toBe(true)
  })

  it.each([false, true])('the colour-blind see which version is which, dark: %s', async (dark) => {
    await open((response, n) => reply(response, `a${n % 7}`), { clock: true, dark })
    await runUntil(8)
    const session = await page.context().newCDPSession(page)
    for (const type of ['protanopia', 'deuteranopia', 'tritanopia'] as const) {
      await session.send('Emulation.setEmulatedVisionDeficiency', { type })
      const picture = `data:image/png;base64,${(await page.locator('#grid').screenshot()).toString('base64')}`
      // What stands out by lightness, 3:1 as WCAG asks for, from the corner of each of the first seven squares.
      const marks = await page.locator('#grid').evaluate(async ({ ownerDocument }, src) => {
        const image = Object.assign(ownerDocument.createElement('img'), { src })
        await image.decode()
        const { width, height } = image
        const ctx = Object.assign(ownerDocument.createElement('canvas'), { width, height }).getContext('2d')
        ctx.drawImage(image, 0, 0)
        const luminance = (x: number, y: number) => {
          const [r, g, b] = [...ctx.getImageData(x, y, 1, 1).data].map((value) => (value / 255) ** 2.2)
          return 0.05 + 0.2126 * Number(r) + 0.7152 * Number(g) + 0.0722 * Number(b)
        }
        const cell = width / 25
        return [0, 1, 2, 3, 4, 5, 6].map((index) => {
          const at = (left: number, top: number) => luminance((index + left) * cell, top * cell)
          const corner = at(0.2, 0.2)
          const points = [0.3, 0.4, 0.5, 0.6, 0.7]
          const values = points.flatMap((top) => points.map((left) => at(left, top)))
          return values.map((value) => Number(Math.max(value, corner) / Math.min(value, corner) >= 3)).join('')
        })
      }, picture)
      expect(new Set(marks).size, type).toBe(7)
    }
  })

  it('has a picture of the present state for a chat, copied, or saved where a page may not copy', async () => {
    await open(ninety('stable=90, canary=10'), { clock: true })
    await runUntil(12)
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.keyboard.press('c')
    await expect.poll(() => text('#share')).toContain('Picture copied')
    const picture = await page.evaluate(`navigator.clipboard.read()
      .then(([item]) => item.getType('image/png'))
      .then(createImageBitmap)
      .then((image) => {
        const ctx = Object.assign(document.createElement('canvas'), { width: 1200, height: 640 }).getContext('2d')
        ctx.drawImage(image, 0, 0)
        const darkIn = (x) => ctx.getImageData(x, 70, 30, 400).data.filter((value) => value < 128).length
        return { width: image.width, height: image.height, dark: [30, 708, 740].map((x) => darkIn(x) > 0) }
      })`)
    // The squares, a gap, and the words.
    expect(picture).toEqual({ width: 1200, height: 640, dark: [true, false, true] })

    await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    const download = page.waitForEvent('download')
    await page.locator('#share').click()
    expect((await download).suggestedFilename()).toMatch(/^devops-api-\d\d-\d\d-\d\d\.png$/)
    await expect.poll(() => text('#share')).toContain('Picture saved')
  })
})
