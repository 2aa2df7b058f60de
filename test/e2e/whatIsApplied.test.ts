import { beforeAll, expect, it } from 'vitest'
import { edit } from './chart.ts'
import { namespace, rolledOut, run } from './cluster.ts'
import { allow, canary, load, startUnderLoad, values, weights } from './operator.ts'
import { install } from './releases.ts'
import { note } from './summary.ts'

beforeAll(startUnderLoad)

const stableValues = async () => JSON.parse(await run(`helm get values devops-api-stable -n ${namespace} --output json`))
const deployment = async (path: string) =>
  run(`kubectl get deployment devops-api-stable -n ${namespace} -o jsonpath={.spec.${path}}`)

it('Weights that are no numbers move nothing', async () => {
  const before = values()
  edit('values-stable.yaml', { 'traffic.stable': '90' })
  const { exitCode, all } = await canary('shift 75/25')
  expect(all).toContain('traffic.stable in')
  expect(all).toContain('is "90": it must be a whole number from 0 to 1000000, without quotes')
  expect(exitCode).toBe(64)
  expect(await weights()).toBe('90 10')
  edit('values-stable.yaml', { 'traffic.stable': 90 })
  expect(values()).toBe(before)
})

it('What was set at the install is not taken back by a step, and rollback moves the weights beside it', async () => {
  await run(`helm upgrade devops-api-stable . --values values-stable.yaml --set-string env.LOG_LEVEL=warn -n ${namespace} --wait`)
  await rolledOut('stable')
  const { exitCode, all } = await canary('shift 75/25')
  expect(all).toMatch(/env\[LOG_LEVEL\] .* → nothing/)
  expect(exitCode).toBe(1)
  expect(await weights()).toBe('90 10')
  const rollback = await canary('rollback')
  expect(rollback.all).toMatch(/The files say more, which is not installed: .*LOG_LEVEL/)
  expect(rollback.exitCode).toBe(0)
  expect(await weights()).toBe('100 0')
  expect(await stableValues()).toMatchObject({ env: { LOG_LEVEL: 'warn' }, traffic: { stable: 100, canary: 0 } })
})

it('rollback leaves as many pods as somebody has scaled to', async () => {
  await install('stable')
  await rolledOut('stable')
  await run(`kubectl scale deployment devops-api-stable -n ${namespace} --replicas=3`)
  await rolledOut('stable')
  expect((await canary('shift 50/50')).all).toMatch(/spec\.replicas \(scaled .*\) 3 → 2/)
  expect((await canary('rollback')).exitCode).toBe(0)
  expect(await deployment('replicas')).toBe('3')
})

it('promote gives stable what canary was judged with, such as its memory limit', async () => {
  await run(`kubectl scale deployment devops-api-stable -n ${namespace} --replicas=2`)
  allow('200 stable v1.1.1-canary')
  edit('values-canary.yaml', { 'resources.limits.memory': '256Mi' })
  await install('stable')
  await install('canary')
  await rolledOut('canary')
  const { exitCode, all } = await canary('promote --steps 100')
  expect(all).toContain('Promoted: stable serves everything, as v1.1.1-canary.')
  expect(exitCode).toBe(0)
  expect(await deployment('template.spec.containers[0].resources.limits.memory')).toBe('256Mi')
})

it('Nothing was lost', async () => {
  await load.stop()
  load.expectNothingLost()
  note('lost requests, beside values that were set, scaled and carried over', `0 of ${load.replies.length.toLocaleString('en')}`)
})
