import { expect } from 'vitest'
import { type Role, roles } from '../../src/canary/roles.ts'
import { edit } from './chart.ts'
import { incarnations, namespace, run } from './cluster.ts'
import { splitInForce } from './split.ts'

/** Every answer that a pod of a role may give, as the story goes on. */
export const says: Record<Role, string[]> = { stable: ['200 stable v1.1.1'], canary: ['200 canary v1.1.1-canary'] }

/** As in the values file of stable. */
const weights: Record<Role, number> = { stable: 90, canary: 10 }

const answers = () => roles.filter((role) => weights[role] > 0).flatMap((role) => says[role])

let expected = answers()

/** The answers that are right at this moment. */
export const expectedAnswers = () => expected

/** One of the two commands that everybody types. */
export async function install(role: Role, ...overlays: string[]): Promise<string> {
  const files = [`values-${role}.yaml`, ...overlays].map((file) => `--values ${file}`).join(' ')
  return run(`helm upgrade --install devops-api-${role} . ${files} -n ${namespace} --create-namespace`)
}

export function editWeights(stable: number, canary: number): void {
  edit('values-stable.yaml', { 'traffic.stable': stable, 'traffic.canary': canary })
  Object.assign(weights, { stable, canary })
}

/** Waits until the wire agrees with the weights; from then on, nothing else is right. */
export async function settle(): Promise<number> {
  const inForceAt = await splitInForce(answers(), weights.canary / (weights.stable + weights.canary))
  expected = answers()
  return inForceAt
}

/** How long each move took from the start of the command until the replies followed. */
export const secondsToWire: number[] = []

/** Moves weights as people do, by editing a file and running the command. */
export async function move(stable: number, canary: number) {
  const before = await incarnations()
  const old = answers()
  editWeights(stable, canary)
  expected = [...old, ...answers()]
  const startedAt = performance.now()
  const notes = await install('stable')
  const appliedAt = performance.now()
  secondsToWire.push(((await settle()) - startedAt) / 1000)
  expect(await incarnations(), 'moving weights restarts no pod').toEqual(before)
  return { startedAt, appliedAt, notes }
}
