import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { type Role, roles } from '../roles.ts'
import { type Expectation, shares } from '../verdict/expectation.ts'

interface Values {
  traffic?: Partial<Record<Role, number>>
  image?: { tag?: string | number }
  env?: Record<string, string>
}

/**
 * The split that a chart's values-stable.yaml and values-canary.yaml declare: weights, and what each release says as its version.
 * @throws {Error} with one line, when a file cannot be read or declares no weight above 0
 */
export function declaredSplit(chart: string): Expectation {
  const stable = read<Values>(chart, 'values-stable.yaml')
  const releases = { stable, canary: read<Values>(chart, 'values-canary.yaml') }
  const defaults = read<Values>(chart, 'values.yaml')
  const { appVersion } = read<{ appVersion: string }>(chart, 'Chart.yaml')
  const entries = roles.map((role) => {
    const { image, env } = releases[role]
    const tag = `${image?.tag || defaults.image?.tag || appVersion}`
    const version = env?.DEVOPSAPI_VERSION ?? `v${tag.replace(/^v/, '')}`
    return { version, role, weight: stable.traffic?.[role] ?? defaults.traffic?.[role] ?? 0 }
  })
  if (entries.every(({ weight }) => weight === 0)) throw new Error(`${join(chart, 'values-stable.yaml')} has no weight above 0`)
  return shares(entries)
}

function read<T extends object>(chart: string, name: string): T {
  const path = join(chart, name)
  try {
    return parse(readFileSync(path, 'utf8')) ?? {}
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new Error(`cannot read ${path}: ${code === 'ENOENT' ? 'there is no such file' : message.split('\n', 1)}`)
  }
}
