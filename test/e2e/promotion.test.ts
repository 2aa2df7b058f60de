import { execa } from 'execa'
import { expect, it } from 'vitest'
import { poll, rolledOut } from './cluster.ts'
import { figure, range } from './figures.ts'
import { hostname, spreadsMissing } from './gateway.ts'
import { RATE } from './load.ts'
import { allow, asking, canary, load, newCanary, root, values, weights } from './operator.ts'
import { install } from './releases.ts'
import { p50AndP99 } from './statistics.ts'
import { inSeconds } from './summary.ts'

it('A canary whose Service is missing is named by check, and gets no more traffic', async () => {
  await install('stable')
  await rolledOut('stable')
  await poll(async () => {
    const { exitCode, stdout } = await execa(
      process.execPath,
      ['src/canary/main.ts', 'check', asking[1] as string, '--host', hostname, '--expect', 'stable=90,canary=10'],
      { cwd: root, reject: false },
    )
    expect(exitCode).toBe(1)
    const said = spreadsMissing ? 'FAIL split' : 'which never answered: the Service is missing (canary)'
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(said)
  })
  const shift = await canary('shift 50/50')
  expect(shift).toEqual({ exitCode: 1, all: expect.stringContaining('the Service devops-api-canary is missing') })
  expect((await canary('promote')).all).toContain('devops-api-canary is not installed')
  const status = await canary('status')
  expect(status.exitCode).toBe(1)
  expect(status.all.replaceAll(/\s+/g, ' ')).toContain("the route sends canary's share to a Service that is missing")
})

it('status agrees once both are there', async () => {
  await install('canary')
  await rolledOut('canary')
  await poll(async () =>
    expect(await canary('status')).toEqual({ exitCode: 0, all: expect.stringContaining('All of it agrees.') }),
  )
})

it('shift moves traffic', async () => {
  load.start()
  const { exitCode, all } = await canary('shift 80/20')
  expect(all).toContain('PASS split')
  expect(exitCode).toBe(0)
  expect(await weights()).toBe('80 20')
})

it('promote takes canary through its steps, and loses nothing', async () => {
  const startedAt = performance.now()
  const from = load.replies.length
  const { exitCode, all } = await canary('promote --steps 25,50,100')
  expect(all).toContain('Promoted: stable serves everything, as v1.1.1-canary.')
  expect(exitCode).toBe(0)
  expect(values()).toContain('traffic:\n  stable: 100\n  canary: 0\n')
  expect(values()).toContain('env:\n  DEVOPSAPI_VERSION: v1.1.1-canary\n')
  expect(await weights()).toBe('100 0')
  figure('promote', inSeconds(performance.now() - startedAt))
  figure('promotion', p50AndP99(load.replies.slice(from)))
})

const secondsToBack: number[] = []

it.each(['bad', 'slow'])('The %s canary is caught at the first step, and traffic is back at 100/0', async (kind) => {
  allow('500 canary injected fault')
  await newCanary(`v1.4.0-${kind}`, `examples/${kind}-canary.yaml`)
  const { exitCode, all } = await canary('promote --steps 25,50,100')
  // Whichever is sure first.
  expect(all).toMatch(kind === 'bad' ? /FAIL (availability|canary health)/ : /FAIL canary health/)
  expect(all).not.toContain('50/50')
  expect(exitCode).toBe(1)
  const [, back] = /Not promoted: FAIL. Back at 100\/0, on the wire after (.*) s/.exec(all) ?? []
  expect(Number(back)).toBeGreaterThan(0)
  secondsToBack.push(Number(back))
  expect(await weights()).toBe('100 0')
  expect(values()).toContain('DEVOPSAPI_VERSION: v1.1.1-canary')
})

it('Nothing was lost', async () => {
  await load.stop()
  load.expectNothingLost()
  const { replies, duration } = load
  expect(replies.length / (duration / 1000) / RATE).toBeGreaterThan(0.9)
  figure('back', range(secondsToBack))
  figure('lostWithCli', `0 of ${replies.length.toLocaleString('en')}`)
})
