import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join, relative, resolve } from 'node:path'
import { type Role, roles } from '../canary/roles.ts'
import { announces } from './announced.ts'
import { PAGE } from './anyPage.ts'
import { changes, weights } from './changes.ts'
import { Cluster } from './cluster.ts'
import { buildGateway, refuseTakenPort } from './demoGateway.ts'
import { readOptions } from './demoOptions.ts'
import { launcher } from './launcher.ts'
import { Mistake } from './mistake.ts'
import { podLine } from './podLine.ts'
import { print } from './print.ts'
import { readApplication } from './readApplication.ts'
import { render } from './render.ts'
import { unsupported } from './unsupported.ts'
import { watchFiles } from './watchFiles.ts'
import { welcome } from './welcome.ts'

/** A Deployment that takes longer than this is said to be late. */
const PATIENCE_MS = 5_000
/** How long a process may take to end before it is killed. */
const GRACE_MS = 2_000
/** So often in a row, a command ends not by chance. */
const HOPELESS = 2
/** npm passes on the Ctrl-C that the terminal has sent already; a person's second one comes later. */
const SECOND_SIGNAL_MS = 300
/** How often to see whether npm is still there. */
const NPM_PERIOD_MS = 250

const { env } = process
// npm runs scripts in the folder of package.json, while people name files as seen from where they are.
const cwd = env.INIT_CWD ?? process.cwd()
const shown = (path: string) => relative(cwd, path) || '.'

const options = await orRefuse(() =>
  readOptions(process.argv.slice(2), env, cwd, shown(join(import.meta.dirname, '../../chart'))),
)
const { chart } = options
const overlays = { stable: options.stableValues, canary: options.values }
const inputs = { cwd, chart, overlays }
const command = options.run === undefined ? undefined : { line: options.run, cwd }

/** What the user wants to see is there, or is not. */
let hasServed = false
const serving = Promise.withResolvers<void>()
const cluster = new Cluster(
  {
    readyChanged: ({ ready }) => {
      if (!ready) return
      hasServed = true
      serving.resolve()
    },
    said: ({ name }, text) => print(name, text),
    wrote: ({ name }, line) => {
      const text = podLine(line, options.verbose)
      if (text !== undefined) print(name, text)
    },
    failed: (_, failures) => {
      if (options.run === undefined || failures < HOPELESS || hasServed) return
      console.error(
        `the demo cannot start: "${options.run}" ends again and again, before it has answered; what it wrote stands above. It must listen at PORT of its environment, and go on`,
      )
      process.exit(1)
    },
  },
  command,
)
const application = command && (await orRefuse(() => readApplication(resolve(cwd, chart))))
const gateway = buildGateway(cluster, application)

let endingSince: number | undefined
let listening: Promise<unknown> | undefined
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
for (const output of [process.stdout, process.stderr]) output.on('error', end)
if (env.npm_lifecycle_event) endWithNpm(launcher())
// A program that has started this one lets go of it.
if (process.connected) process.on('disconnect', end)
// However this process ends, be it by an error or the second Ctrl-C.
process.on('exit', () => cluster.kill())

let renderedAt = 0
let releases = await orRefuse(async () => {
  await refuseTakenPort(options.port)
  const startedAt = performance.now()
  const releases = await render(inputs)
  renderedAt = performance.now()
  cluster.apply(releases)
  print('helm', `rendered both releases in ${Math.round(renderedAt - startedAt)} ms`)
  return releases
})
const { objects, fields } = unsupported(releases, options.run)
print('left out', `objects: ${objects.join(', ')}\nfields: ${fields.join(', ')}`)
const { HTTPRoute } = releases.stable
if (!HTTPRoute) print('traffic', 'no release has an HTTPRoute: every request gets a 404')
else if (!announces(HTTPRoute))
  print('announce', 'replies say traffic-split by the demo itself; on a cluster, traffic.announce has them do so')

listening = gateway.listen({ host: 'localhost', port: options.port })
await listening
const { port } = gateway.server.address() as AddressInfo
const watcher = watchFiles([chart, ...overlays.stable, ...overlays.canary], cwd, upgrade)
await Promise.all([once(watcher, 'ready'), ...roles.map(follow)])
if (cluster.pods.length > 0) await serving.promise
if (endingSince === undefined) {
  const address = `localhost:${port}`
  const readyMs = performance.now() - renderedAt
  const valuesFile = join(chart, 'values-stable.yaml')
  const paths = application ? { page: `${PAGE}/`, version: application.path } : { page: '/', version: '/version' }
  console.log(welcome({ address, pods: cluster.pods, readyMs, traffic: weights(releases), valuesFile, paths }))
}

/** Does what `helm upgrade` of both releases would, or says why not. */
async function upgrade(files: string[]): Promise<void> {
  try {
    const next = await render(inputs)
    if (endingSince !== undefined) return
    const before = roles.map((role) => cluster.deployment(role)?.wanted)
    cluster.apply(next)
    const found = changes(releases, next)
    releases = next
    if (found.length === 0) print('saved', `${files.join(', ')}: nothing changes`)
    for (const { subject, text } of found) print(subject, text)
    for (const [index, role] of roles.entries())
      if (next[role] && cluster.deployment(role)?.wanted !== before[index]) void follow(role)
  } catch (error) {
    if (!(error instanceof Mistake)) throw error
    print('mistake', `${error.message}\nEverything goes on as it was.`)
  }
}

/** Says when a Deployment has what it wants, or that it is late; fulfilled with either. */
async function follow(role: Role): Promise<void> {
  const startedAt = performance.now()
  const deployment = cluster.deployment(role)
  if (!deployment) return
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(() => {
    const { ready, readyOld } = deployment
    const old = readyOld > 0 ? `; ${readyOld} of the old ones go on serving` : ''
    print(role, `not there yet, ${ready} of ${deployment.wanted.replicas} ready after ${PATIENCE_MS / 1000} s${old}`)
    late.resolve()
  }, PATIENCE_MS)
  const reached = deployment.reached().then((there) => {
    clearTimeout(timer)
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    if (there) print(role, `${deployment.ready} of ${deployment.wanted.replicas} ready after ${seconds} s`)
  })
  await Promise.race([reached, late.promise])
}

function onSignal(): void {
  if (endingSince === undefined) void end()
  else if (performance.now() - endingSince > SECOND_SIGNAL_MS) process.exit(130)
}

async function end(): Promise<void> {
  if (endingSince !== undefined) return
  endingSince = performance.now()
  const { length } = cluster.pods
  // Below the ^C that the terminal shows.
  if (process.stdout.isTTY) console.log()
  // Fastify cannot close while it begins to listen.
  await listening
  await gateway.close()
  await cluster.stop(GRACE_MS)
  print('stopped', `${length} processes in ${Math.round(performance.now() - endingSince)} ms`)
  process.exit()
}

/** Nobody tells this process when npm is killed. */
function endWithNpm(npm: number): void {
  setInterval(() => {
    if (launcher() !== npm) void end()
  }, NPM_PERIOD_MS).unref()
}

async function orRefuse<T>(act: () => T | Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof Mistake)) throw error
    console.error(`the demo cannot start: ${error.message}`)
    process.exit(1)
  }
}
