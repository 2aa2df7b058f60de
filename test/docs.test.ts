import { existsSync, globSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { buildApp } from '../src/service/app.ts'
import { lessons } from '../src/tour/lessons.ts'
import { lessonParts } from '../src/tour/lessonText.ts'
import { onTerminal } from '../src/tour/onTerminal.ts'
import { demoPlace } from '../src/tour/place.ts'
import { printed } from './canary/inProcess.ts'
import { outputsSchema } from './canary/outputsSchema.ts'
import { describedSchema } from './chart/describedValues.ts'
import { helm } from './chart/render.ts'
import { generatedPages, upToDate } from './generatedDocs.ts'
import { blocks, codeRows, headings, pageAt } from './markdown.ts'
import { labFiles } from './tour/lab.ts'

const root = join(import.meta.dirname, '..')
const markdownIn = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
const pages = [
  '.',
  'chart',
  'docs',
  ...globSync('docs/tour{,/*}/', { cwd: root }),
  ...readdirSync(join(root, 'integrations')).map((name) => `integrations/${name}`),
].flatMap(markdownIn)

/** What GitHub makes of a heading: https://docs.github.com/get-started/writing-on-github, "Section links". */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

describe.each(pages)('%s', (page) => {
  const text = pageAt(page)
  const prose = text.replaceAll(/^```.*?^```$/gms, '')

  it('leads to files and headings that exist', () => {
    const links = prose.matchAll(/\]\((?!https:)([^)#]*)(?:#([^)]*))?\)|src(?:set)?="([^"]*)"/g)
    for (const [link, path = '', anchor, picture] of links) {
      const target = picture ?? (path === '' ? page : join(page, '..', path))
      expect(existsSync(join(root, target)), link).toBe(true)
      if (anchor === undefined) continue
      const anchors = headings(pageAt(target.endsWith('.md') ? target : join(target, 'README.md'))).map(anchorOf)
      expect(anchors, link).toContain(anchor)
    }
  })

  it('names files, scripts and values that exist', () => {
    const files = prose.matchAll(/`((?:chart|integrations|src|test|bench|docs|\.github)\/[^`* ]*)(?: [^`]*)?`/g)
    for (const [, path = ''] of files) expect(existsSync(join(root, path)), path).toBe(true)

    const { scripts } = JSON.parse(pageAt('package.json'))
    for (const [, name = ''] of text.matchAll(/npm run (?:-s )?([a-z0-9:]*[a-z0-9])/g)) expect(scripts, name).toHaveProperty(name)

    const values = parse(pageAt('chart/values.yaml'))
    const named = prose.matchAll(/`((?:traffic|image|gateway|test|autoscaling|podMonitor|networkPolicy)\.[\w.]+)(?:: \w+)?`/g)
    for (const [, path = ''] of named) expect(values, path).toHaveProperty(path)
  })
})

describe('the generated part', () => {
  it.each(generatedPages)('of %s is what "npm run docs" writes', async (page) => {
    expect(pageAt(page)).toBe(await upToDate(page))
  })

  it.each(Object.entries(labFiles))('of the tour is what "npm run docs" writes: %s', (path, text) => {
    expect(pageAt(path)).toBe(text)
  })

  it('of the tour is what its recording shows', () => {
    const recording = pageAt('docs/tour/recording.txt')
    for (const [index] of lessons.entries()) {
      const { why, steps, see, question } = lessonParts(index + 1, demoPlace('http://localhost:8000'))
      for (const part of [why, ...steps, see, question]) expect(recording).toContain(onTerminal(part, 100, (_, text) => text))
    }
  })

  it('of the tour leaves no other file there', () => {
    const files = globSync('docs/tour/**/*.*', { cwd: root }).filter((path) => path !== 'docs/tour/recording.txt')
    expect(files.toSorted()).toEqual(Object.keys(labFiles).toSorted())
  })

  it('of values.schema.json is what "npm run docs" writes', () => {
    expect(JSON.parse(pageAt('chart/values.schema.json'))).toEqual(describedSchema())
  })

  it('of canary.schema.json is what "npm run docs" writes', () => {
    expect(JSON.parse(pageAt('docs/canary.schema.json'))).toEqual(outputsSchema())
  })
})

describe('docs/service.md', () => {
  const service = pageAt('docs/service.md')

  it('states the defaults of the environment', async () => {
    const app = await buildApp({})
    const rows = codeRows('Environment', service).map(([name = '', value = '']) => [name.replaceAll('`', ''), value])
    const stated = rows.filter(([, value]) => value !== '–').map(([name, value]) => [name, /^`([^`]*)`/.exec(value ?? '')?.[1]])
    expect(Object.fromEntries(stated)).toEqual(
      Object.fromEntries(Object.entries(app.config).map(([name, value]) => [name, `${value}`])),
    )
    expect(rows.map(([name]) => name)).toEqual(expect.arrayContaining(['DEVOPSAPI_ROLE', 'DEVOPSAPI_POD', 'FAULT_DELAY_P99_MS']))
    await app.close()
  })

  it('names metrics that there are', async () => {
    const app = await buildApp({})
    const { body } = await app.inject('/metrics')
    for (const [name = ''] of codeRows('Metrics', service))
      for (const [, prefix = ''] of name.matchAll(/`(\w+)\*?`/g)) expect(body).toMatch(new RegExp(`^# TYPE ${prefix}`, 'm'))
    await app.close()
  })

  it('starts the service with its command, which answers as it says', async () => {
    const [commands, example] = blocks('The service', service)
    const start = commands?.text.trim().split('\n').at(-1) ?? ''
    const env = { PORT: '0', HOST: '127.0.0.1' }
    const child = execa(start, { cwd: root, env, shell: true, detached: true, reject: false, buffer: false })
    let address = ''
    createInterface(child.stdout).on('line', (line) => {
      if (line.startsWith('{')) address ||= JSON.parse(line).address
    })
    await expect.poll(() => address, { timeout: 120_000 }).not.toBe('')
    const [curl = '', answer] = example?.text.trim().split('\n') ?? []
    expect(await (await fetch(`http://${address}${curl.split(':8080')[1]}`)).text()).toBe(answer)
    // The whole group, for between the shell and the service there is npm.
    process.kill(-(child.pid ?? 0), 'SIGTERM')
    await child
  })
})

describe('docs/canary.md', () => {
  it('states every exit code that "--help" does', async () => {
    const stated = codeRows('Exit codes', pageAt('docs/canary.md')).map(([code]) => code?.replaceAll('`', ''))
    const [, line = ''] = /^Exit codes: (.*)\.$/m.exec(await printed('--help')) ?? []
    const codes = line.split(', ').map((entry) => entry.split(' ')[0])
    expect(codes.length).toBeGreaterThan(4)
    expect(stated).toEqual(expect.arrayContaining(codes))
  })
})

describe('.github/workflows', () => {
  it.each(readdirSync(join(root, '.github/workflows')))('%s runs actions that nobody can change afterwards', (file) => {
    const used = [...pageAt(`.github/workflows/${file}`).matchAll(/uses: (.+)$/gm)].map(([, action]) => action)
    expect(used.length).toBeGreaterThan(0)
    for (const action of used) expect(action).toMatch(/^[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })
})

describe('docs/cluster.md', () => {
  it('sets up kind as the public CI does', () => {
    const steps: string[] = parse(pageAt('.github/workflows/ci.yaml')).jobs.e2e.steps.flatMap(
      ({ run }: { run?: string }) => run ?? [],
    )
    const commands = (blocks('On kind, with Traefik', pageAt('docs/cluster.md'))[0]?.text ?? '').trim().split('\n')
    expect(steps).toEqual(expect.arrayContaining(commands.filter((command) => !command.startsWith('export '))))
  })
})

describe('chart/README.md', () => {
  it('names every example', () => {
    const named = codeRows('Examples', pageAt('chart/README.md')).map(([name]) => name?.replaceAll('`', ''))
    expect(named.toSorted()).toEqual(readdirSync(join(root, 'chart/examples')).toSorted())
  })

  it('is what "helm show readme" shows', async () => {
    const { stdout } = await helm(['show', 'readme', '.'])
    expect(stdout.trim()).toBe(pageAt('chart/README.md').trim())
  })
})
