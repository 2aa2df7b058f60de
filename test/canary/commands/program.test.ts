import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeAll, describe, expect, it } from 'vitest'
import manifest from '../../../package.json' with { type: 'json' }
import { bundled } from '../../bundled.ts'
import { copyChart, temporary } from '../commandLine.ts'
import { gateway } from '../fakeService.ts'

const { PATH = '' } = process.env
const folder = await bundled()

/** As a user of the package has it: in an empty folder, away from this repository. */
const home = temporary()
const env = { PATH, HOME: home, npm_config_cache: join(home, 'cache'), npm_config_offline: 'true', npm_config_audit: 'false' }
const run = (program: string, ...args: string[]) => execa(program, args, { cwd: home, env, extendEnv: false, reject: false })

beforeAll(async () => {
  const { stdout } = await execa('npm', ['pack', folder, '--silent'], { cwd: home, env })
  await execa('npm', ['install', '--silent', `./${stdout.trim()}`], { cwd: home, env })
})

describe('the package', () => {
  it('holds the CLI, all of it, and nothing else', async () => {
    const { stdout } = await execa('npm', ['pack', folder, '--dry-run', '--json'], { cwd: home, env })
    const parsed = JSON.parse(stdout)
    const [{ files, version }] = (Array.isArray(parsed) ? parsed : Object.values(parsed)) as [
      { files: { path: string }[]; version: string },
    ]
    const paths = files.map(({ path }) => path)
    expect(paths.filter((path) => !path.startsWith('lib/')).toSorted()).toEqual([
      'LICENSE',
      'LICENSES.txt',
      'README.md',
      'canary.js',
      'package.json',
    ])
    expect(version).toBe(manifest.version)
  })

  it('judges by npx, with everything that a command loads', async () => {
    const { url } = await gateway()
    const check = ['check', url, '--timeout', '60s', '--junit', 'junit.xml']
    const { exitCode, stdout, stderr } = await run('npx', 'canary', ...check, '--expect', 'stable=90,canary=10')
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^PASS$/m)
    expect(exitCode).toBe(0)
  })

  it('reads values files, and runs Helm', async () => {
    const { exitCode, stdout } = await run('npx', 'canary', 'shift', '75/25', '--files-only', '--chart', copyChart())
    expect(stdout).toContain('written')
    expect(exitCode).toBe(0)
  })

  it('says its version', async () => {
    expect(await run('npx', 'canary', '--version')).toMatchObject({ stdout: manifest.version, exitCode: 0 })
  })

  it.each(['watch', 'check', 'status', 'shift', 'promote', 'rollback', 'history'])('describes %s', async (command) => {
    const { exitCode, stdout } = await run(join(home, 'node_modules/.bin/canary'), command, '--help')
    expect(stdout).toContain(`Usage: canary ${command} [options]`)
    expect(exitCode).toBe(0)
  })

  it('is a plugin of kubectl', async () => {
    const plugins = join(home, 'plugins')
    mkdirSync(plugins)
    symlinkSync(join(home, 'node_modules/.bin/kubectl-canary'), join(plugins, 'kubectl-canary'))
    const { stdout } = await execa('kubectl', ['canary', 'rollback', '--help'], { env: { PATH: `${plugins}:${PATH}` } })
    expect(stdout).toContain('Usage: canary rollback [options]')
  })
})
