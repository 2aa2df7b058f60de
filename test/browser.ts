import { type Browser, chromium, type Page } from 'playwright-core'
import { inject } from 'vitest'

export function launchBrowser(args: string[] = []): Promise<Browser> {
  const options = inject('chromium')
  return chromium.launch({ ...options, args: [...(options.args ?? []), ...args] })
}

/** Chromium gives up what is under way when the machine gets another interface, as where pods run on it. */
const interrupted = 'net::ERR_NETWORK_CHANGED'

export async function navigate(page: Page, url: string): Promise<void> {
  await page.goto(url).catch((error: Error) => {
    // The second is the page about the first, where that comes into the next attempt.
    if (!error.message.includes(interrupted) && !error.message.includes('another navigation to "chrome-error://')) throw error
    return navigate(page, url)
  })
}

/** What a page does that nobody sees: lines on its console, uncaught errors, and the URL of each request. */
export function watchPage(page: Page) {
  const lines: string[] = []
  const urls: string[] = []
  page.on('console', (message) => {
    if (!message.text().includes(interrupted)) lines.push(message.text())
  })
  page.on('pageerror', (error) => lines.push(error.message))
  page.on('request', (request) => urls.push(request.url()))
  return { lines, urls }
}
