import { afterEach, expect, it, vi } from 'vitest'
import { gateway } from '../fakeService.ts'
import { run } from '../inProcess.ts'
import { parseOutput } from '../parseOutput.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** So slow a machine that two minutes are over after so many requests. */
function stopTheClockAfter(asked: readonly unknown[], requests: number): void {
  const now = performance.now.bind(performance)
  vi.spyOn(performance, 'now').mockImplementation(() => now() + (asked.length > requests ? 120_000 : 0))
}

it('What is still open after two minutes is inconclusive, and the reason says what it takes', async () => {
  // Of canary's requests, 2 % fail: more than is allowed, and less than must not pass.
  const { url, asked } = await gateway({ canaryErrorsEvery: 50 })
  stopTheClockAfter(asked, 2000)
  const { exitCode, stdout } = await run(`check ${url} --expect stable=90,canary=10 --max-p95-increase 60s --timeout 60s --json`)
  const { sample, gates } = parseOutput('check', stdout)
  expect([exitCode, gates[2]?.verdict]).toEqual([2, 'INCONCLUSIVE'])
  expect(gates[2]?.reason).toMatch(
    /; too few requests to tell, within 120 s or --requests: in case of doubt, that takes up to 55,680$/,
  )
  expect(sample.requests).toBeLessThan(2100)
})

it('Two minutes are not the end before there were as many requests as it takes as a rule', async () => {
  const { url, asked } = await gateway()
  stopTheClockAfter(asked, 500)
  const { exitCode, stdout } = await run(`check ${url} --expect stable=90,canary=10 --max-p95-increase 60s --timeout 60s --json`)
  expect([exitCode, parseOutput('check', stdout).sample.requests]).toEqual([0, 1960])
})

it('A canary that is so slow that all connections are busy is found out, and does not make stable look as slow', async () => {
  const { url } = await gateway({
    stable: 50,
    canary: 50,
    insteadOfCanary: (_, response) =>
      void setTimeout(() => {
        response.writeHead(200, { 'app-version': 'v1.1.1-canary', 'app-role': 'canary' }).end('{"version":"v1.1.1-canary"}')
      }, 60),
  })
  const { exitCode, stdout } = await run(`check ${url} --expect 50/50 --rate 2000 --connections 5 --json`)
  const { gates } = parseOutput('check', stdout)
  expect([exitCode, gates[2]?.verdict]).toEqual([1, 'FAIL'])
})
