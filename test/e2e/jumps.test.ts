import { beforeAll, expect, it } from 'vitest'
import { edit } from './chart.ts'
import { namespace, run } from './cluster.ts'
import { figure } from './figures.ts'
import { RATE } from './load.ts'
import { load, startUnderLoad, weights } from './operator.ts'
import { install } from './releases.ts'
import { splitInForce } from './split.ts'

beforeAll(async () => {
  await install('canary')
  edit('values-stable.yaml', { 'traffic.stable': 100, 'traffic.canary': 0 })
  await startUnderLoad()
})

async function jump(stable: number, canary: number): Promise<void> {
  edit('values-stable.yaml', { 'traffic.stable': stable, 'traffic.canary': canary })
  await install('stable')
  expect(await weights()).toBe(`${stable} ${canary}`)
  await splitInForce([canary > 0 ? '200 canary v1.1.1-canary' : '200 stable v1.1.1'], canary > 0 ? 1 : 0)
  // Gateways that lose requests do so for a while.
  await load.next(3 * RATE)
}

it('All traffic jumps from one release to the other and back, again and again', async () => {
  for (let times = 0; times < 5; times++) {
    await jump(0, 100)
    await jump(100, 0)
  }
})

it('Canary is uninstalled while it is in the route with weight 0, which the next upgrade of stable ends', async () => {
  await run(`helm uninstall devops-api-canary -n ${namespace}`)
  await load.next(5 * RATE)
  await install('stable')
  expect(await weights()).toBe('100')
  await load.next(3 * RATE)
})

it('Nothing was lost', async () => {
  await load.stop()
  load.expectNothingLost()
  figure('jumps', `0 of ${load.replies.length.toLocaleString('en')}`)
})
