import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { Failure } from '../../../src/canary/errors.ts'
import { withFiles } from '../../../src/canary/values/withFiles.ts'
import { temporary } from '../commandLine.ts'

const { TMPDIR } = process.env
afterEach(() => {
  if (TMPDIR === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = TMPDIR
})

it('files are there while something runs with them, and gone afterwards, whatever comes of it', async () => {
  const seen: string[] = []
  const read = async (folder: string) => {
    seen.push(folder)
    return readFileSync(join(folder, 'a/b'), 'utf8')
  }
  expect(await withFiles({ 'a/b': 'text', c: Buffer.from('bytes') }, read)).toBe('text')
  await expect(withFiles({}, read)).rejects.toThrow('ENOENT')
  expect(seen).toHaveLength(2)
  expect(seen.map((folder) => [dirname(folder), existsSync(folder)])).toEqual(seen.map(() => [tmpdir(), false]))
})

it('where they cannot be written, that is said, with the folder and the reason', async () => {
  const file = join(temporary(), 'file')
  writeFileSync(file, '')
  process.env.TMPDIR = file
  await expect(withFiles({ a: '' }, async () => {})).rejects.toThrow(
    new Failure(`files for Helm cannot be written into ${file} (ENOTDIR): make room there, or set TMPDIR to another folder`),
  )
  delete process.env.TMPDIR
  await expect(withFiles({ a: '', 'a/b': '' }, async () => {})).rejects.toThrow(/cannot be written into .* \(EEXIST\)/)
})
