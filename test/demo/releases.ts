import type { Role } from '../../src/canary/roles.ts'
import type { Release } from '../../src/demo/render.ts'
import { render, type Values } from '../chart/render.ts'

const rendered = new Map<string, ReturnType<typeof render>>()

async function release(role: Role, values: Values = {}): Promise<Release> {
  const key = JSON.stringify([role, values])
  if (!rendered.has(key)) rendered.set(key, render(role, { values }))
  return structuredClone(await rendered.get(key)) as Release
}

/** Both releases of the chart, with these values laid over their files. */
export async function releases(values: Partial<Record<Role, Values>> = {}): Promise<Record<Role, Release>> {
  const [stable, canary] = await Promise.all([release('stable', values.stable), release('canary', values.canary)])
  return { stable, canary }
}
