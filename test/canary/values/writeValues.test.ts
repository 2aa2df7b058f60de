import { existsSync, lstatSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeValues } from '../../../src/canary/values/writeValues.ts'
import { temporary } from '../commandLine.ts'

describe('writeValues', () => {
  it.each([0o640, 0o600, 0o444])('writes a file whole, and leaves its mode %o', async (mode) => {
    const path = join(temporary(), 'values-stable.yaml')
    writeFileSync(path, 'role: stable\n', { mode })
    await writeValues(path, 'role: stable\n', 'role: canary\n')
    expect(readFileSync(path, 'utf8')).toBe('role: canary\n')
    expect(statSync(path).mode & 0o777).toBe(mode)
  })

  it('writes behind a link', async () => {
    const folder = temporary()
    const [path, link] = [join(folder, 'real.yaml'), join(folder, 'values-stable.yaml')]
    writeFileSync(path, 'role: stable\n')
    symlinkSync('real.yaml', link)
    await writeValues(link, 'role: stable\n', 'role: canary\n')
    expect(readFileSync(path, 'utf8')).toBe('role: canary\n')
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
  })

  it('leaves alone what somebody else has changed', async () => {
    const path = join(temporary(), 'values-stable.yaml')
    writeFileSync(path, 'role: other\n')
    await expect(writeValues(path, 'role: stable\n', 'role: canary\n')).rejects.toThrow(`${path} was changed by somebody else`)
    expect(readFileSync(path, 'utf8')).toBe('role: other\n')
    rmSync(path)
    await expect(writeValues(path, 'role: stable\n', 'role: canary\n')).rejects.toThrow(`${path} was changed by somebody else`)
    expect(existsSync(path)).toBe(false)
  })
})
