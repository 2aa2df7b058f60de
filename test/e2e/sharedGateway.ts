import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { roles } from '../../src/canary/roles.ts'
import { certificate } from '../canary/promotion/certificate.ts'
import { copyChart, removeChart } from './chart.ts'
import { createNamespace, deleteNamespace, describeNamespace, env, namespace, rolledOut, run } from './cluster.ts'
import { gatewayClass } from './gateway.ts'
import { install } from './releases.ts'

/** Where the Gateway of somebody else is. */
export const theirs = `${namespace}-gateways`
/** The host of its certificate. */
export const secureHost = 'secure.example.com'
export const folder = mkdtempSync(join(tmpdir(), 'shared-gateway-'))
const [authority, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]

/** Both releases, installed and ready, and a certificate for a Gateway beside theirs. */
beforeAll(async () => {
  copyChart()
  await createNamespace()
  await run(`kubectl create namespace ${theirs}`)
  const made = await certificate(secureHost)
  writeFileSync(authority, made.cert)
  writeFileSync(key, made.key)
  await run(`kubectl create secret tls certificate -n ${theirs} --cert ${authority} --key ${key}`)
  for (const role of roles) await install(role)
  for (const role of roles) await rolledOut(role)
})

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(await describeNamespace())
})

afterAll(async () => {
  await deleteNamespace(theirs)
  await deleteNamespace().finally(removeChart)
  rmSync(folder, { recursive: true })
})

export const tls = { mode: 'Terminate', certificateRefs: [{ name: 'certificate' }] }

/** Makes the Gateway `shared`, or gives it other listeners, all of them for routes of any namespace. */
export async function shareGateway(listeners: object[]): Promise<void> {
  const shared = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'shared', namespace: theirs },
    spec: {
      gatewayClassName: gatewayClass,
      listeners: listeners.map((listener) => ({ ...listener, allowedRoutes: { namespaces: { from: 'All' } } })),
    },
  }
  await run('kubectl apply -f -', JSON.stringify(shared))
}

/** The command line, which trusts the certificate unless told otherwise. */
export async function canary(command: string, trusts = true): Promise<{ exitCode: number | undefined; all: string }> {
  const { exitCode, all } = await execa(process.execPath, ['src/canary/main.ts', ...command.split(' ')], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...env, ...(trusts && { NODE_EXTRA_CA_CERTS: authority }) },
    reject: false,
    all: true,
  })
  return { exitCode, all }
}
