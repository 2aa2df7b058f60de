import { type Browser, chromium, type Page } from 'playwright-core'
import { inject } from 'vitest'

export function launchBrowser(args: string[] = []): Promise<Browser> {
  const options = inject('chromium')
  return chromium.launch({ ...options, args: [...(options.args ?? []), ...args] })
}

/** What a page does that nobody sees: lines on its console, uncaught errors, and the URL of each request. */
export function watchPage(page: Page) {
  const lines: string[] = []
  const urls: string[] = []
  page.on('console', (message) => {
    // Chromium gives up what is under way when the machine gets another interface, as where pods run on it.
    if (!message.text().includes('net::ERR_NETWORK_CHANGED')) lines.push(message.text())
  })
  page.on('pageerror', (error) => lines.push(error.message))
  page.on('request', (request) => urls.push(request.url()))
  return { lines, urls }
}
