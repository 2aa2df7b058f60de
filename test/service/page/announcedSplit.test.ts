import { describe, expect, it } from 'vitest'
import { answerWith, asked, ninety, open, page, reached, reply, setRate, settle, text } from './openPage.ts'

describe('the announced split, on the live page', () => {
  const settled = async (announced: string, how = ninety(announced)) => {
    await open(how)
    await setRate(50)
    await reached(150)
    await settle()
  }

  it('stands beside the observed one, and agrees once that is sure', async () => {
    await settled('stable=90, canary=10')
    expect(await text('#verdict')).toMatch(/^Cannot tell yet, about \d{3} more requests$/)
    expect(await text('#configured-stable')).toBe('90.0 %')
    expect(await text('#configured-canary')).toBe('10.0 %')
    expect(await text('#observed-canary')).toBe(`${((Math.floor(asked.length / 10) / asked.length) * 100).toFixed(1)} %`)
    expect(await text('#interval-canary')).toMatch(/^\d+\.\d–\d+\.\d %$/)
    expect(await text('#evidence')).toBe(`${asked.length} requests since it was announced`)
    await page.locator('#pause').click()
    await expect.poll(() => text('#verdict')).toBe('Configured and observed agree')
    // As many as its window shows do not tell.
    expect(asked.length).toBeGreaterThan(500)
  })

  it('reads weights as weights, not as percentages', async () => {
    await settled('stable=9, canary=1')
    expect(await text('#verdict')).toMatch(/^Cannot tell yet/)
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
    expect(await text('#verdict')).toMatch(/^Cannot tell yet, about \d{3} more requests$/)
  })

  it('judges only what came since it last changed', async () => {
    await settled('stable=90, canary=10')
    const before = asked.length
    answerWith((response, n) =>
      reply(response, n % 2 ? 'v1' : 'v2', n % 2 ? 'stable' : 'canary', { 'traffic-split': 'stable=1, canary=1' }),
    )
    await page.locator('#pause').click()
    await reached(before + 50)
    await settle()
    expect(await text('#configured-canary')).toBe('50.0 %')
    expect(await text('#evidence')).toBe(`${asked.length - before} requests since it was announced`)
    expect(await text('#verdict')).toMatch(/^Cannot tell yet/)
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
