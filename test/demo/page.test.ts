import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { launchBrowser, navigate, watchPage } from '../browser.ts'
import { type Demo, removeDemos, startDemo } from './startDemo.ts'

let demo: Demo
let browser: Browser
let page: Page
let seen: ReturnType<typeof watchPage>

beforeAll(async () => {
  demo = await startDemo()
  browser = await launchBrowser()
  page = await browser.newPage({ viewport: { width: 1280, height: 808 } })
  seen = watchPage(page)
  await navigate(page, `${demo.url}/`)
  await page.locator('#rate').fill('50')
  await page.locator('#rate').blur()
})
afterAll(async () => {
  await browser.close()
  await removeDemos()
})

const text = (selector: string) => page.locator(selector).innerText()
const names = () => page.locator('#cards h3').allInnerTexts()
const share = async (row: number) => Number.parseFloat(await page.locator('[data-field=share]').nth(row).innerText())

it('shows the split of the values files', async () => {
  await expect.poll(names).toEqual(['v1.1.1 stable', 'v1.1.1-canary canary'])
  await expect.poll(() => text('#cards')).toContain('of 500 requests')
  // Two replies that come in another order than they were sent may make it one more or less.
  const shares = await Promise.all([share(0), share(1)])
  expect(Math.abs((shares[0] ?? 0) - 90)).toBeLessThan(1)
  expect(Math.abs((shares[1] ?? 0) - 10)).toBeLessThan(1)
  // Announced by the demo, as the route does not.
  await expect.poll(() => text('#verdict')).toBe('Configured and observed agree')
  expect(await page.locator('#comparison td').allInnerTexts()).toEqual(expect.arrayContaining(['90.0 %', '10.0 %']))
})

it('follows when the weights move', async () => {
  demo.edit('chart/values-stable.yaml', (values) =>
    values.replace('stable: 90', 'stable: 75').replace('canary: 10', 'canary: 25'),
  )
  await expect.poll(() => text('#configured-canary')).toBe('25.0 %')
  await expect.poll(() => text('#verdict')).toBe('Configured and observed agree')
  await expect.poll(() => share(1)).toBe(25)
})

it('logs nothing, and asks for nothing but the version', () => {
  expect(seen.lines).toEqual([])
  expect([...new Set(seen.urls)]).toEqual([`${demo.url}/`, `${demo.url}/version`])
})

it('shows the failures of a bad canary', async () => {
  demo.edit('chart/values-canary.yaml', (values) => values.replace('env:', 'env:\n  FAULT_ERROR_RATE: "0.2"'))
  const errors = () => page.locator('[data-field=errors]').allInnerTexts()
  await expect.poll(errors).toEqual(['0', expect.stringMatching(/^\d+\.\d % \(\d+ × 500\)$/)])
  // Once the replies of the pods before have left the page, a fifth of 125 fails: 25, give or take 4.5.
  await expect.poll(async () => (await page.locator('[data-field=pods]').nth(1).innerText()).split('\n')).toHaveLength(2)
  const rate = Number.parseFloat(`${(await errors())[1]}`)
  expect(rate).toBeGreaterThan(2)
  expect(rate).toBeLessThan(45)
})

/** For README.md: `npm run picture` keeps the pictures, other runs only take them. */
it.each(['light', 'dark'] as const)('poses for its %s picture', async (colorScheme) => {
  await page.emulateMedia({ colorScheme })
  await expect.poll(() => text('#evidence')).toMatch(/^\d{4,} requests/)
  await expect.poll(() => page.evaluate<boolean>(`matchMedia('(prefers-color-scheme: ${colorScheme})').matches`)).toBe(true)
  const picture = await page.screenshot({ fullPage: true })
  expect(picture.length).toBeGreaterThan(10_000)
  const { PICTURES } = process.env
  if (!PICTURES) return
  const file = join(PICTURES, `live-page-${colorScheme}.png`)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, picture)
})

it('shows who keeps their requests when the version of the canary changes', async () => {
  demo.edit('chart/values-canary.yaml', (values) => values.replace('v1.1.1-canary', 'v1.2.0').replace(/ {2}FAULT.*\n/, ''))
  await expect.poll(names).toEqual(['v1.1.1 stable', 'v1.2.0 canary'])
  expect(await page.locator('[data-field=errors]').allInnerTexts()).toEqual(['0', '0'])
})
