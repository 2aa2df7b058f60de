import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { findProgram, unpackedPrograms } from '../../src/canary/cluster/findProgram.ts'
import { temporary } from './commandLine.ts'
import { gateway } from './fakeService.ts'

interface Settings {
  /** What somebody has scaled a Deployment to. */
  replicas?: Record<string, number>
  /** What runs, by role: 64 hexadecimal digits. */
  digests?: Record<string, string>
  /** Kinds that kubectl may not read, and "releases" for Helm's. */
  unreadable?: string[]
  /** The Gateway's answer; null where it is not found. */
  gateway?: object | null
}

interface Installed extends Settings {
  /** What Helm is given beside the values file, by role. */
  stable?: string[]
  canary?: string[] | undefined
  /** The chart that was installed, where it is another than the one that is tried. */
  charts?: Partial<Record<'stable' | 'canary', string>>
}

/** Both releases of a chart, installed with the real Helm's rendering into a cluster that is a folder. */
export async function installedReleases(chart: string, { stable = [], canary = [], charts = {}, ...settings }: Installed = {}) {
  const { url } = await gateway({ stable: 1, canary: 0 })
  const { hostname, port } = new URL(url)
  const folder = temporary()
  const helm = await findProgram('helm')
  const listening = {
    spec: { gatewayClassName: 'c', listeners: [{ name: 'http', port: Number(port), protocol: 'HTTP' }] },
    status: { addresses: [{ value: hostname }] },
  }
  writeFileSync(join(folder, 'settings'), JSON.stringify({ gateway: listening, ...settings }))
  for (const name of ['helm', 'kubectl']) {
    const script = `#!/bin/sh
echo "${name} $*" >> ${folder}/asked
case "${name} $1" in 'helm template' | 'helm show') exec ${helm} "$@";; esac
answer="${folder}/answers/${name} $*"
[ -f "$answer" ] && exec cat "$answer"
[ -f "$answer.refusal" ] && { cat "$answer.refusal" >&2; exit 1; }
NODE_COMPILE_CACHE=${unpackedPrograms} exec ${process.execPath} ${join(import.meta.dirname, 'fakeTools.ts')} ${helm} ${folder} ${name} "$@"
`
    writeFileSync(join(folder, name), script)
    chmodSync(join(folder, name), 0o755)
  }
  const path = (name: string) => join(folder, name)
  for (const [role, args] of Object.entries({ stable, canary })) {
    const from = charts[role as 'stable' | 'canary'] ?? chart
    await execa(path('helm'), [
      'upgrade',
      '--install',
      `devops-api-${role}`,
      from,
      '--values',
      join(from, `values-${role}.yaml`),
      ...args,
    ])
  }
  writeFileSync(path('asked'), '')
  interface Revision {
    version: number
    config: Record<string, unknown>
    manifest: string
    info: { description: string }
  }
  return {
    env: { PATH: `${folder}:${process.env.PATH}` },
    asked: () => (existsSync(path('asked')) ? readFileSync(path('asked'), 'utf8') : ''),
    /** Stable's, the newest first. */
    revisions: (): Revision[] => JSON.parse(readFileSync(path('releases'), 'utf8'))['devops-api-stable'],
  }
}
