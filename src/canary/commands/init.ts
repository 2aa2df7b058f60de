import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { parse } from 'yaml'
import { HelmAndKubectl } from '../cluster/helmAndKubectl.ts'
import { Failure, WrongUse } from '../errors.ts'
import { newFiles, ROUTE, type Wanted } from '../init/newFiles.ts'
import { type Made, madeBy, obstacles, servicesOf, unproven } from '../init/obstacles.ts'
import type { Terminal } from '../output/terminal.ts'
import { type ReleaseNames, type Role, roles } from '../roles.ts'
import { PREFIX } from '../values/chartAnnotations.ts'
import { readText, valuesPath } from '../values/valuesReader.ts'
import { type Files, withFiles } from '../values/withFiles.ts'

interface Options {
  gateway: Wanted['gateway']
  hostname: string[]
  dryRun?: true
}

type Releases = Readonly<Record<Role, readonly Made[]>>

/** `init CHART`: makes a conventional chart one whose releases are a pair. */
export function initCommand(program: Command, terminal: Terminal): void {
  program
    .command('init')
    .description(
      'Make a chart canary-ready: one route template and two values files, once rendering both releases has proved that they are a pair. Nothing else is touched.',
    )
    .argument('<CHART>', 'its folder')
    .requiredOption('--gateway <name>', 'the Gateway that takes the route, as NAME or NAMESPACE/NAME', gatewayOf)
    .option('--hostname <name>', 'a host name that the route answers to; may be repeated', oneMoreHostname, [])
    .option('--dry-run', 'show the files, and write none')
    .action((chart: string, options: Options) => run(chart, options, terminal))
}

/** A DNS subdomain, as the names of most objects are: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
const NAME = '[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*'

function gatewayOf(text: string): Wanted['gateway'] {
  const [, namespace, name] = new RegExp(`^(?:([-a-z0-9]{1,63})/)?((?=.{1,253}$)${NAME})$`).exec(text) ?? []
  if (name === undefined || !new RegExp(`^${NAME}$`).test(namespace ?? name))
    throw new InvalidArgumentError('It must be NAME or NAMESPACE/NAME, as kubectl shows them, such as infra/public.')
  return { name, namespace }
}

function oneMoreHostname(text: string, all: string[]): string[] {
  if (!new RegExp(`^(?=.{1,253}$)([*][.])?${NAME}$`).test(text) || isIP(text))
    throw new InvalidArgumentError(
      'It must be a host name in lower case, without a port, such as shop.example.com or *.example.com, and no IP address.',
    )
  return [...all, text]
}

async function run(chart: string, { gateway, hostname, dryRun }: Options, terminal: Terminal): Promise<void> {
  const { stdout } = terminal
  const tools = new HelmAndKubectl({ chart }, terminal)
  const { names } = tools
  const render = async (folder: string, valuesFor: (role: Role) => string[] = () => []): Promise<Releases> => {
    const made = async (role: Role) => madeBy(await tools.helm('template', names[role], folder, ...valuesFor(role)))
    // One after the other, so that of two refusals it is always the same that is said.
    return { stable: await made('stable'), canary: await made('canary') }
  }
  refuse(chart, taken(chart))
  const before = await render(chart)
  refuse(chart, obstacles(chart, before, names))
  const files = newFiles({
    names,
    ...serviceOf(chart, before, names),
    gateway,
    hostnames: hostname,
    tag: tagOf(chart),
  })
  await withFiles({ ...filesOf(chart), ...files }, async (copy) => {
    // With a share for both, or the route would leave one out.
    const traffic = ['--set', 'traffic.stable=90,traffic.canary=10']
    const after = await render(copy, (role) => ['--values', valuesPath(copy, role), ...(role === 'stable' ? traffic : [])])
    refuse(chart, [...obstacles(chart, after, names), ...unproven(after)])
  })
  if (!dryRun) writeAll(chart, files)
  for (const [path, text] of Object.entries(files))
    stdout.write(
      dryRun ? `${join(chart, path)}\n${`${text}`.replaceAll(/^(?=.)/gm, '+ ')}\n` : `${join(chart, path)} is written\n`,
    )
  stdout.write(
    `Rendered, ${names.stable} and ${names.canary} share no object and no pod, and one route splits requests between their Services. Install canary first:\n`,
  )
  for (const role of [...roles].reverse())
    stdout.write(`  helm upgrade --install ${names[role]} ${chart} --values ${valuesPath(chart, role)}\n`)
  stdout.write(
    `Where the application does not answer {"version":"…"} at /version, say in ${join(chart, 'Chart.yaml')} what it answers, such as:
  annotations:
    ${PREFIX}path: /
    ${PREFIX}version-from: none # or header:NAME, text, json:/POINTER
`,
  )
}

function refuse(chart: string, reasons: readonly string[]): void {
  if (reasons.length > 0) throw new WrongUse(`${chart} cannot be made canary-ready as it is: ${reasons.join('; ')}`)
}

/** What this command would write over, or into, and what the chart means otherwise. */
function taken(chart: string): string[] {
  const values = valuesOf(chart)
  return [
    ...[join(chart, ROUTE), ...roles.map((role) => valuesPath(chart, role))].flatMap((path) =>
      existsSync(path) ? [`${path} is there already`] : [],
    ),
    ...['traffic', 'gateway'].flatMap((key) =>
      key in values ? [`${join(chart, 'values.yaml')} has a value ${key} of its own, which the route needs: rename it`] : [],
    ),
  ]
}

const valuesOf = (chart: string): Record<string, unknown> => {
  const path = join(chart, 'values.yaml')
  return (existsSync(path) ? parse(readText(path)) : undefined) ?? {}
}

/** The tag to begin with: the chart's own, where its values have one. */
function tagOf(chart: string): string | undefined {
  const { image } = valuesOf(chart) as { image?: { tag?: unknown } }
  if (typeof image?.tag !== 'string') return undefined
  const { appVersion = '' } = parse(readText(join(chart, 'Chart.yaml'))) as { appVersion?: string }
  return image.tag || `${appVersion}`
}

/** The one Service of each release that sends requests to its pods. */
function serviceOf(chart: string, { stable, canary }: Releases, names: ReleaseNames): { services: ReleaseNames; port: number } {
  const ours = servicesOf(stable)
  const one = (services: readonly Made[], release: string) =>
    services.find(({ metadata }) => metadata.name === release) ?? (services.length === 1 ? services[0] : undefined)
  const [own, other] = [one(ours, names.stable), one(servicesOf(canary), names.canary)]
  if (!own || !other)
    throw new WrongUse(
      `${chart} must have one Service for the pods of its Deployment, and it has ${ours.length === 0 ? 'none' : ours.map(({ metadata }) => metadata.name).join(', ')}`,
    )
  const services = { stable: own.metadata.name, canary: other.metadata.name }
  if (services.stable.replace(names.stable, names.canary) !== services.canary || !services.stable.includes(names.stable))
    throw new WrongUse(
      `${join(chart, own.template)}: the Services are called ${services.stable} and ${services.canary}: their names must have the name of the release in them, ${names.stable} and ${names.canary}`,
    )
  const { ports } = own.spec as { ports: { name?: string; port: number }[] }
  return { services, port: (ports.find(({ name }) => name === 'http') ?? ports[0])?.port ?? 80 }
}

/**
 * All that a chart holds, behind links as well, by the path in it.
 * @throws {Failure} with one line, when it cannot be read
 */
function filesOf(chart: string): Files {
  const below = (folder: string): Files[] =>
    readdirSync(join(chart, folder)).flatMap((name) => {
      const path = join(folder, name)
      const found = statSync(join(chart, path), { throwIfNoEntry: false })
      if (found?.isDirectory()) return below(path)
      return found?.isFile() ? { [path]: readFileSync(join(chart, path)) } : []
    })
  try {
    return Object.assign({}, ...below(''))
  } catch (error) {
    const { code, message, path = chart } = error as NodeJS.ErrnoException
    throw new Failure(`cannot read ${path} (${code ?? message}): all files of the chart must be readable`)
  }
}

/**
 * Writes new files, all or none.
 * @throws {Failure} with one line, when one cannot be written
 */
function writeAll(chart: string, files: Files): void {
  const written: string[] = []
  for (const [name, text] of Object.entries(files)) {
    const path = join(chart, name)
    try {
      writeFileSync(path, text, { flag: 'wx' })
      written.push(path)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      for (const begun of code === 'EEXIST' ? written : [...written, path]) rmSync(begun, { force: true })
      throw new Failure(
        `cannot write ${path} (${code ?? message}): it must be new, in a folder that can be written to; nothing is written`,
      )
    }
  }
}
