import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { note } from './summary.ts'

/** What a run measures through a gateway, and what it is, in the order of the table in docs/measured.md. */
export const figures = {
  date: 'date',
  commit: 'commit',
  machine: 'machine, which was also the cluster, the gateway and the load',
  lost: 'lost requests, through 6 moves of weights, 4 rollouts, 2 restarts, 2 deleted pods and an uninstalled canary',
  lostWithCli: 'lost requests, through a promotion with the CLI and two that were given up, because canary was bad or slow',
  jumps: 'lost requests, through 10 jumps of all traffic between 0/100 and 100/0, and an uninstalled canary',
  split: 'of 500 requests at 90/10, answered by the canary',
  missing: "of 500 requests at 90/10, failed with 500 while the canary's Service was missing",
  wire: 'new weights on the wire, after the start of `helm upgrade`',
  lastError: 'last error of a bad canary, after the start of the rollback to 100/0',
  promote: '`promote --steps 25,50,100`',
  back: 'back at 100/0, after a bad and after a slow canary was found out at the first step',
  atRest: 'latency at rest, p50 and p99',
  promotion: 'latency during the promotion with the CLI, p50 and p99',
  rollouts: 'latency during rollouts, p50 and p99',
  slow: 'latency of the slow canary, p50 and p99',
}
export type Figures = Record<keyof typeof figures, string>
type Run = Pick<Figures, 'date' | 'commit' | 'machine'>
export type Figure = Exclude<keyof Figures, keyof Run>

const { FIGURES } = process.env

/** All that were measured so far, perhaps by other files of the run. */
const read = (file: string): Partial<Figures> => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {})

const thisRun = (): Run => ({
  date: new Date().toISOString().slice(0, 10),
  commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
  machine: `${availableParallelism()} cores`,
})

/** Keeps a figure for the summary, and in the file that FIGURES names, if it does. */
export function figure(name: Figure, value: string): void {
  note(figures[name], value)
  if (FIGURES) writeFileSync(FIGURES, `${JSON.stringify({ ...read(FIGURES), ...thisRun(), [name]: value }, null, 2)}\n`)
}

/** Such as "0.4 to 0.6 s". */
export function range(seconds: number[]): string {
  const [least, most] = [Math.min(...seconds), Math.max(...seconds)].map((value) => value.toFixed(1))
  return least === most ? `${most} s` : `${least} to ${most} s`
}
