import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { welcome } from '../src/demo/welcome.ts'
import { gateway } from './canary/fakeService.ts'
import { printed } from './canary/inProcess.ts'
import { canaryCommands } from './canary/optionsTables.ts'
import { blocks, codeRows, pageAt } from './markdown.ts'

const readme = pageAt('README.md')

describe('the README', () => {
  it('can be read in one sitting', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(150)
  })

  it('shows what the demo says when it is ready', () => {
    const shown = blocks('On your machine', readme)[0]?.text ?? ''
    const started = {
      address: 'localhost:8000',
      pods: Array.from({ length: 4 }, () => ({ ready: true })),
      readyMs: Number(/ready (\d+) ms/.exec(shown)?.[1]),
      traffic: '90/10',
      valuesFile: 'chart/values-stable.yaml',
      paths: { page: '/', version: '/version' },
    }
    expect(shown.trim()).toBe(stripVTControlCharacters(welcome(started)).trim())
  })

  it('has every command of the CLI, and no other', async () => {
    const named = codeRows('The canary CLI', readme).map(([command]) => /^`(\w+)/.exec(command ?? '')?.[1])
    expect(named).toEqual((await canaryCommands()).map((command) => command.name()))
  })

  it('shows what check prints, but for the figures', async () => {
    const { url } = await gateway()
    const chart = join(import.meta.dirname, '../chart')
    const [, shown] = blocks('The canary CLI', readme)[0]?.text.split(/^\$ .*\n/m) ?? []
    expect(words(await printed('check', url, '--chart', chart))).toEqual(words(`${shown}`))
  })
})

/** A text without its figures, however wide it is: bars have a place in a wide one alone. */
const words = (text: string) =>
  text
    .replaceAll(/[\d.,:]*\d/g, '#')
    .replaceAll('█', '')
    .split(/\s+/)
    .filter(Boolean)
