import { describe, expect, it } from 'vitest'
import { asked, axe, ninety, open, page, reached, reply, setRate, settle, text } from './openPage.ts'

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
