import { describe, expect, it } from 'vitest'
import type { Workload } from '../../../src/canary/cluster/clusterState.ts'
import type { Autoscaler } from '../../../src/canary/cluster/readAutoscalers.ts'
import { capacity } from '../../../src/canary/promotion/capacity.ts'
import type { Role } from '../../../src/canary/roles.ts'

const names = { stable: 'devops-api-stable', canary: 'devops-api-canary' }
const pods = (ready: number): Workload => ({ name: 'd', image: 'i', version: 'v', wanted: ready, ready, isRolledOut: true })
const weights = (text: string) => {
  const [stable = 0, canary = 0] = text.split('/').map(Number)
  return { stable, canary }
}
type Autoscalers = Partial<Record<Role, Autoscaler>>
const scaler = (load: number | string, most = 20): Autoscaler => ({ load, most })

function move(live: string, to: string, ready: [stable: number, canary: number], autoscalers: Autoscalers | string) {
  const route = { weights: weights(live), problems: [], otherWriters: [], changed: [], mayHide: [] }
  const workloads = { stable: pods(ready[0]), canary: pods(ready[1]) }
  return capacity({ workloads, route, names }, autoscalers, weights(to))
}

describe('capacity', () => {
  it.each<[string, string, [number, number], Autoscalers]>([
    ['75/25', '75/25', [6, 0], { stable: scaler(6) }],
    ['90/10', '50/50', [6, 3], { stable: scaler(5.4), canary: scaler(0.6) }],
    // Within an autoscaler's tolerance.
    ['100/0', '0/100', [6, 6], { stable: scaler(6.5) }],
    ['0/100', '100/0', [6, 6], { stable: scaler(0.1), canary: scaler(6) }],
    // Those that serve it now are too few as well.
    ['100/0', '0/100', [2, 2], { stable: scaler(9) }],
    ['90/10', '0/100', [2, 2], {}],
    // What serves has none, so that its number is somebody's choice.
    ['0/100', '100/0', [1, 8], { stable: scaler(1) }],
  ])('is enough from %s to %s with %j pods', (live, to, ready, autoscalers) => {
    expect(move(live, to, ready, autoscalers)).toEqual({ kind: 'enough' })
  })

  it.each<[string, string, [number, number], Autoscalers, string]>([
    [
      '90/10',
      '50/50',
      [6, 2],
      { stable: scaler(5.4), canary: scaler(0.6) },
      'devops-api-canary has 2 ready pods, and 50 % of the present load needs 3: set its autoscaling.minReplicas to 3, and helm upgrade it',
    ],
    [
      '100/0',
      '0/100',
      [6, 1],
      { stable: scaler(6), canary: scaler(0, 5) },
      'devops-api-canary has 1 ready pod, and 100 % of the present load needs 6: set its autoscaling.minReplicas to 6, and maxReplicas to more than 5, and helm upgrade it',
    ],
    // What canary serves is not measured, so it is taken to be like what stable does.
    [
      '50/50',
      '25/75',
      [3, 1],
      { stable: scaler(3) },
      'devops-api-canary has 1 ready pod, and 75 % of the present load needs 4: set its replicas to 4, and helm upgrade it',
    ],
    [
      '0/100',
      '100/0',
      [2, 6],
      { stable: scaler(0), canary: scaler(6) },
      'devops-api-stable has 2 ready pods, and 100 % of the present load needs 6: set its autoscaling.minReplicas to 6, and helm upgrade it',
    ],
  ])('is short from %s to %s with %j pods', (live, to, ready, autoscalers, why) => {
    expect(move(live, to, ready, autoscalers)).toEqual({ kind: 'short', why })
  })

  it('is unknown where autoscalers cannot be read, or measure nothing', () => {
    const unknown = (why: string) => ({
      kind: 'unknown',
      why: `Whether canary has enough pods for its share is not known: ${why}`,
    })
    expect(move('90/10', '50/50', [2, 2], 'forbidden')).toEqual(unknown('forbidden'))
    expect(move('90/10', '50/50', [2, 2], { stable: scaler('no metrics'), canary: scaler(1) })).toEqual(
      unknown('the autoscaler of devops-api-stable says: no metrics'),
    )
    // It serves nothing.
    expect(move('100/0', '50/50', [2, 2], { stable: scaler(2), canary: scaler('no metrics') })).toEqual({ kind: 'enough' })
  })
})
