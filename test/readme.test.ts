import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { stripVTControlCharacters } from 'node:util'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { welcome } from '../src/demo/welcome.ts'
import { buildApp } from '../src/service/app.ts'
import { gatewaysTable } from './e2e/gatewaysTable.ts'
import { blocks, readme, section } from './readme.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

/** The cells of the first table under a heading, without its head. */
const table = (heading: string) =>
  section(heading)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')))

describe('the README', () => {
  it('states the defaults of the environment', async () => {
    const app = await buildApp({})
    const rows = table("The service's environment").map(([name = '', value = '']) => [name.replaceAll('`', ''), value])
    const stated = rows.filter(([, value]) => value !== '–').map(([name, value]) => [name, /^`([^`]*)`/.exec(value ?? '')?.[1]])
    expect(Object.fromEntries(stated)).toEqual(
      Object.fromEntries(Object.entries(app.config).map(([name, value]) => [name, `${value}`])),
    )
    expect(rows.map(([name]) => name)).toEqual(expect.arrayContaining(['DEVOPSAPI_ROLE', 'DEVOPSAPI_POD', 'FAULT_DELAY_P99_MS']))
    await app.close()
  })

  it('starts the service with its command, which answers as it says', async () => {
    const [commands, example] = blocks('Run the service')
    const start = commands?.text.trim().split('\n').at(-1) ?? ''
    const env = { PORT: '0', HOST: '127.0.0.1' }
    const service = execa(start, { cwd: root, env, shell: true, detached: true, reject: false, buffer: false })
    let address = ''
    createInterface(service.stdout).on('line', (line) => {
      if (line.startsWith('{')) address ||= JSON.parse(line).address
    })
    await expect.poll(() => address, { timeout: 30_000 }).not.toBe('')
    const [curl = '', answer] = example?.text.trim().split('\n') ?? []
    expect(await (await fetch(`http://${address}${curl.split(':8080')[1]}`)).text()).toBe(answer)
    // The whole group, for between the shell and the service there is npm.
    process.kill(-(service.pid ?? 0), 'SIGTERM')
    await service
  })

  it('shows what the demo says when it is ready', () => {
    const shown = blocks('See it on your machine')[0]?.text ?? ''
    const started = {
      address: 'localhost:8000',
      pods: Array.from({ length: 4 }, () => ({ ready: true })),
      readyMs: Number(/ready (\d+) ms/.exec(shown)?.[1]),
      traffic: '90/10',
      valuesFile: 'chart/values-stable.yaml',
    }
    expect(shown.trim()).toBe(stripVTControlCharacters(welcome(started)).trim())
  })

  it('names only values that the chart has', () => {
    const values = parse(read('chart/values.yaml'))
    const paths = table("The chart's values").flatMap(([names = '']) => {
      const found = [...names.matchAll(/`([\w.]+)`/g)].map(([, name = '']) => name)
      const parent = found[0]?.split('.')[0]
      return found.map((name) => (name.startsWith('.') ? `${parent}${name}` : name))
    })
    expect(paths.length).toBeGreaterThan(10)
    for (const path of paths) {
      const value = path.split('.').reduce((node, key) => node?.[key], values)
      expect(value, path).toBeDefined()
    }
  })

  it('names every example, and files that exist', () => {
    const named = readme.matchAll(
      /`((?:chart|integrations|src|test|bench|docs|\.github)\/[^`*]*)`|\]\((?!https:)([^)]*)\)|src(?:set)?="([^"]*)"/g,
    )
    const paths = [...named].map(([, code, link, picture]) => `${code ?? link ?? picture}`)
    expect(paths).toEqual(expect.arrayContaining(['chart/values.yaml', 'LICENSE', 'docs/live-page-dark.png']))
    for (const path of paths) expect(existsSync(join(root, path)), path).toBe(true)
    expect(
      table('Roll back')
        .map(([name]) => name?.replaceAll('`', ''))
        .toSorted(),
    ).toEqual([
      'bad-canary.yaml',
      'check-job.yaml',
      'never-ready.yaml',
      'production.yaml',
      'shared-gateway.yaml',
      'slow-canary.yaml',
    ])
  })

  it('has the table of gateways that the runs gave', () => {
    expect(section('Measured')).toContain(gatewaysTable())
  })

  it('sets up kind as the public CI does', () => {
    const steps: string[] = parse(read('.github/workflows/ci.yaml')).jobs.e2e.steps.flatMap(
      ({ run }: { run?: string }) => run ?? [],
    )
    const commands = (blocks('On kind, with Traefik')[0]?.text ?? '').trim().split('\n')
    expect(steps).toEqual(expect.arrayContaining(commands.filter((command) => !command.startsWith('export '))))
  })
})
