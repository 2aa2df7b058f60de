import { describe, expect, it } from 'vitest'
import { asked, mostUnderWay, ninety, open, page, reached, run, setRate, text } from './openPage.ts'

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
    expect(await text('#pause')).toMatch(/^Resume/)
    expect(await requestsIn(2000)).toBe(0)
    await toggle()
    expect(await text('#pause')).toMatch(/^Pause/)
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
