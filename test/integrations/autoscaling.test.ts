import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { roles } from '../../src/canary/roles.ts'
import { chart } from '../e2e/chart.ts'
import { env, namespace, poll, rolledOut, run } from '../e2e/cluster.ts'
import { RATE } from '../e2e/load.ts'
import { canary, load, newCanary, weights } from '../e2e/operator.ts'
import { install } from '../e2e/releases.ts'
import { p50AndP99 } from '../e2e/statistics.ts'
import { note } from '../e2e/summary.ts'

const overlay = join(chart, 'autoscaling.yaml')
const withOverlay = (command: string) => canary(command, '--values', overlay)

/** So little is requested that the load takes all six pods. */
const autoscaled = (minReplicas: number, targetCPUUtilizationPercentage = 50) =>
  JSON.stringify({
    autoscaling: { enabled: true, minReplicas, maxReplicas: 6, targetCPUUtilizationPercentage },
    resources: { requests: { cpu: '20m' } },
  })

const readyPods = async (role: string) =>
  Number(await run(`kubectl get deployment devops-api-${role} -n ${namespace} -o jsonpath={.status.readyReplicas}`))

/** The fewest ready pods of stable while something goes on; watched, as asking again and again would take a core. */
async function fewest(act: () => Promise<unknown>): Promise<number> {
  const what = ['get', 'deployment', 'devops-api-stable', '-n', namespace, '--output', 'jsonpath={.status.readyReplicas}{"\\n"}']
  const watching = execa('kubectl', [...what, '--watch'], { env, reject: false, buffer: false })
  let least = Number.POSITIVE_INFINITY
  createInterface(watching.stdout).on('line', (ready) => {
    least = Math.min(least, Number(ready))
  })
  await act().finally(() => watching.kill('SIGKILL'))
  await watching
  return least
}

it('Under load, stable gets more pods', async () => {
  writeFileSync(overlay, autoscaled(2))
  for (const role of roles) await install(role, 'autoscaling.yaml')
  for (const role of roles) await rolledOut(role)
  for (const role of roles) await poll(async () => expect(await readyPods(role)).toBe(2))
  await poll(async () => expect((await withOverlay('status')).exitCode).toBe(0))
  load.start()
  await poll(async () => expect(await readyPods('stable')).toBe(6), 180)
  await rolledOut('stable')
  note('latency at rest, p50 and p99', p50AndP99(await load.next(10 * RATE)))
})

it('A step whose pods are missing is not made, and the shortage is said', async () => {
  const { exitCode, all } = await withOverlay('shift 20/80 --patience 5s')
  expect(all.replaceAll(/\s+/g, ' ')).toMatch(
    /waiting for pods: devops-api-canary has 2 ready pods, and 80 % of the present load needs (\d+): set its autoscaling.minReplicas to \1/,
  )
  expect(exitCode).toBe(1)
  expect(await weights()).toBe('90 10')
})

it('promote waits for pods that come meanwhile, and stable stays as large as it was', async () => {
  writeFileSync(join(chart, 'larger.yaml'), autoscaled(6))
  const from = load.replies.length
  const least = await fewest(async () => {
    const promoting = withOverlay('promote --steps 50,100 --patience 3m')
    await install('canary', 'larger.yaml')
    const { exitCode, all } = await promoting
    expect(all).toContain('Promoted: stable serves everything, as v1.1.1-canary.')
    expect(exitCode).toBe(0)
  })
  expect(least).toBe(6)
  note('latency during the promotion, p50 and p99', p50AndP99(load.replies.slice(from)))
  note('fewest ready pods of stable during the promotion', `${least}`)
})

it('After a while at 0/100, rollback gives all traffic to a stable that has kept its pods', async () => {
  await newCanary('v1.2.0', 'larger.yaml')
  const { exitCode, all } = await withOverlay('shift 0/100')
  expect(all).toContain('PASS split')
  expect(exitCode).toBe(0)
  // Until its autoscaler has seen that it serves nothing, and would have taken pods away.
  await poll(async () => {
    const found = JSON.parse(await run(`kubectl get hpa devops-api-stable -n ${namespace} -o json`))
    expect(found.status.currentMetrics[0].resource.current.averageUtilization).toBeLessThan(25)
  }, 180)
  await load.next(30 * RATE)
  const from = load.replies.length
  let after = from
  const least = await fewest(async () => {
    const rollback = await withOverlay('rollback')
    expect(rollback.all).toContain('Every reply came from stable')
    expect(rollback.exitCode).toBe(0)
    after = load.replies.length
    await load.next(30 * RATE)
  })
  // One may go before what is measured is of now.
  expect(least).toBeGreaterThanOrEqual(5)
  note('latency while `rollback` runs, p50 and p99', p50AndP99(load.replies.slice(from, after)))
  note('latency in the 30 s after it, p50 and p99', p50AndP99(load.replies.slice(after)))
  note('fewest ready pods of stable during the rollback and the 30 s', `${least}`)
})

it('As pods may take more of the load, stable goes back to the fewest', async () => {
  writeFileSync(overlay, autoscaled(2, 1000))
  await install('stable', 'autoscaling.yaml')
  // The chart's own pace takes eight minutes for this.
  const behavior = { scaleDown: { stabilizationWindowSeconds: 0, policies: [{ type: 'Pods', value: 1, periodSeconds: 15 }] } }
  const patch = JSON.stringify({ spec: { behavior } })
  await run(`kubectl patch hpa devops-api-stable -n ${namespace} --type=merge -p ${patch}`)
  const from = load.replies.length
  await poll(async () => expect(await readyPods('stable')).toBe(2), 300)
  await load.next(10 * RATE)
  note('latency while stable goes back to 2 pods, p50 and p99', p50AndP99(load.replies.slice(from)))
})

it('Nothing was lost', async () => {
  await load.stop()
  load.expectNothingLost()
  note('lost requests', `0 of ${load.replies.length.toLocaleString('en')}`)
})
