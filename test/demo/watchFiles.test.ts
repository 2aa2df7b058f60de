import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { watchFiles } from '../../src/demo/watchFiles.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

/** A watched folder with a file in it, and every call for a change so far. */
async function watched(changed: (files: string[]) => Promise<void> = async () => {}) {
  const folder = mkdtempSync(join(tmpdir(), 'watch-'))
  mkdirSync(join(folder, 'chart'))
  const file = join(folder, 'chart/values.yaml')
  writeFileSync(file, 'old')
  const calls: string[][] = []
  const watcher = watchFiles([join(folder, 'chart')], folder, (files) => {
    calls.push(files)
    return changed(files)
  })
  ends.push(
    () => watcher.close(),
    () => rmSync(folder, { recursive: true }),
  )
  await once(watcher, 'ready')
  return { folder, file, calls }
}

const until = (check: () => void) => vi.waitFor(check, { timeout: 120_000, interval: 10 })

/** Stops the whole thread, so that nothing can come in between. */
const freeze = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

it('tells which file was saved', async () => {
  const { file, calls } = await watched()
  writeFileSync(file, 'new')
  await until(() => expect(calls).toEqual([['chart/values.yaml']]))
})

it('tells of a save that replaces the file, of a new file and of one that is gone', async () => {
  const { folder, file, calls } = await watched()
  writeFileSync(join(folder, 'other'), 'new')
  renameSync(join(folder, 'other'), file)
  await until(() => expect(calls).toEqual([['chart/values.yaml']]))
  writeFileSync(join(folder, 'chart/more.yaml'), '')
  await until(() => expect(calls.at(-1)).toEqual(['chart/more.yaml']))
  rmSync(file)
  await until(() => expect(calls.at(-1)).toEqual(['chart/values.yaml']))
})

it('waits for the end of a save that takes its time', async () => {
  const seen: string[] = []
  const { file } = await watched(async () => {
    seen.push(readFileSync(file, 'utf8'))
  })
  let pauseMs: number
  let text = ''
  do {
    text += 'x'
    writeFileSync(file, '')
    const begunAt = performance.now()
    freeze(30)
    await new Promise((resolve) => setTimeout(resolve, 20))
    writeFileSync(file, text)
    pauseMs = performance.now() - begunAt
    await until(() => expect(seen).toContain(text))
    // On a machine so busy that the save took longer, it says nothing.
  } while (pauseMs > 90)
  expect(seen.at(-2)).not.toBe('')
})

it('does not tell of what editors leave beside the file', async () => {
  const { folder, calls } = await watched()
  for (const name of ['.values.yaml.swp', 'values.yaml~', '#values.yaml#', '.#values.yaml', '4913'])
    writeFileSync(join(folder, 'chart', name), '')
  writeFileSync(join(folder, 'chart/.a#b.yaml'), '')
  await until(() => expect(calls).toEqual([['chart/.a#b.yaml']]))
})

it('tells of one change at a time, and then of all that came meanwhile', async () => {
  const first = Promise.withResolvers<void>()
  let running = 0
  const { folder, file, calls } = await watched(async () => {
    expect(++running).toBe(1)
    await first.promise
    running--
  })
  writeFileSync(file, 'new')
  await until(() => expect(calls).toHaveLength(1))
  for (const name of ['a', 'b']) writeFileSync(join(folder, 'chart', name), '')
  writeFileSync(file, 'newer')
  // Until long after they would have been told of.
  await new Promise((resolve) => setTimeout(resolve, 400))
  expect(calls).toHaveLength(1)
  first.resolve()
  await until(() => expect(calls.slice(1).map((files) => files.sort())).toEqual([['chart/a', 'chart/b', 'chart/values.yaml']]))
})
