import { delimiter, resolve } from 'node:path'
import { execa } from 'execa'
import { expect, vi } from 'vitest'
import type { Role } from '../../src/canary/roles.ts'
import { chart } from './chart.ts'
import { gatewayClass, hostname, namespace, podSecurity } from './gateway.ts'

export { namespace } from './gateway.ts'

interface Item {
  kind: string
  metadata: { name: string; namespace: string; uid: string; generation: number; deletionTimestamp?: string }
  spec: { hostnames?: string[]; gatewayClassName?: string }
  status: { containerStatuses?: { restartCount: number }[] }
}

const { KUBECONFIG } = process.env
if (!KUBECONFIG) throw new Error('KUBECONFIG is not set: name the file that leads to the cluster to test on')
// Absolute, because commands do not run where this process does.
const files = KUBECONFIG.split(delimiter).map((path) => resolve(path))
export const env = { KUBECONFIG: files.join(delimiter) }

/** Runs `helm …` or `kubectl …` as typed by a person who stands in the chart's folder, and returns what it prints. */
export async function run(command: string, input = ''): Promise<string> {
  const [name, ...args] = command.split(' ')
  const options = { cwd: chart, env, input, reject: false }
  const { stdout, stderr, failed } = await execa(name as string, args, options)
  if (failed) throw new Error([command, stderr, stdout].join('\n'))
  return stdout
}

/** Runs a script in the chart's folder, with the same helm and kubectl, until a command fails, and returns what it prints. */
export async function sh(script: string): Promise<string> {
  const { stdout } = await execa('bash', ['-euo', 'pipefail', '-c', script], { cwd: chart, env })
  return stdout
}

/** Tries a check again and again, until it passes or has failed for so long that it fails for good. */
export const poll = (check: () => Promise<void>, seconds = 60) => vi.waitFor(check, { timeout: seconds * 1000, interval: 200 })

async function list(kinds: string, options = `-n ${namespace}`): Promise<Item[]> {
  return JSON.parse(await run(`kubectl get ${kinds} ${options} -o json`)).items
}

const pods = (role: Role) => list('pods', `-n ${namespace} -l role=${role}`)

export async function podNames(role: Role): Promise<string[]> {
  return (await pods(role)).map(({ metadata }) => metadata.name).sort()
}

/**
 * Changes whenever a pod is replaced or restarted, and with every edit of a Deployment of ours that will replace some; pods that go
 * already do not count, nor do edits of a gateway's own Deployments, whose controllers write them anew and replace nothing.
 */
export async function incarnations(): Promise<string[]> {
  const staying = (await list('deployments,pods')).filter(
    ({ kind, metadata: { name, deletionTimestamp } }) =>
      !deletionTimestamp && (kind === 'Pod' || /^devops-api-(stable|canary)$/.test(name)),
  )
  return staying.map(({ kind, metadata, status }) => {
    const restarts = status.containerStatuses?.map(({ restartCount }) => restartCount)
    return kind === 'Pod' ? `${metadata.name} ${metadata.uid} ${restarts}` : `${metadata.name} ${metadata.generation}`
  })
}

/** Waits for the end of a rollout, and of the pods it replaced, which go on serving for a while. */
export async function rolledOut(role: Role): Promise<void> {
  await run(`kubectl rollout status deployment/devops-api-${role} -n ${namespace} --timeout=120s`)
  await poll(async () => expect((await pods(role)).filter(({ metadata }) => metadata.deletionTimestamp)).toEqual([]))
}

/**
 * Everything in the namespace, whoever made it, but events, the leases by which the processes of a controller agree, and the ConfigMaps
 * that every namespace is given, sooner or later.
 */
export async function objects(): Promise<string[]> {
  const kinds = (await run('kubectl api-resources --namespaced --verbs=list,delete -o name')).split('\n')
  const lasting = kinds.filter((kind) => !/^(events|leases)(\.|$)/.test(kind))
  const given = (await run('kubectl get configmaps -n default -o name')).split('\n')
  const all = (await run(`kubectl get ${lasting} -n ${namespace} -o name`)).split('\n')
  return all.filter((name) => !given.includes(name)).sort()
}

export async function createNamespace(): Promise<void> {
  const [routes, gateways] = await Promise.all([list('httproutes', '-A'), list('gateways', '-A')])
  // Another gateway's is in nobody's way.
  const theirs = gateways.filter(({ spec }) => spec.gatewayClassName === gatewayClass).map(({ metadata }) => metadata.namespace)
  const rival = routes.find(
    ({ metadata, spec }) =>
      metadata.namespace !== namespace && theirs.includes(metadata.namespace) && spec.hostnames?.includes(hostname),
  )
  if (rival) throw new Error(`${hostname} is taken by HTTPRoute ${rival.metadata.name} in namespace ${rival.metadata.namespace}`)
  await deleteNamespace()
  await run(`kubectl create namespace ${namespace}`)
  await run(`kubectl label namespace ${namespace} pod-security.kubernetes.io/enforce=${podSecurity}`)
  // What every namespace is given comes a moment later.
  await run(`kubectl wait --for=create serviceaccount/default configmap/kube-root-ca.crt -n ${namespace} --timeout=60s`)
}

/** Of these tests, or another that they made. */
export async function deleteNamespace(name = namespace): Promise<void> {
  const command = `kubectl delete namespace ${name} --ignore-not-found`
  await run(`${command} --wait=false`)
  // Left to themselves, pods end within seconds, but the namespace is looked at again only after half of their grace period.
  await run(`kubectl delete pods --all -n ${name} --grace-period=1 --timeout=120s`)
  await run(`${command} --timeout=120s`)
}

/** What one would look at first after a failure. */
export async function describeNamespace(): Promise<string> {
  const [pods, events] = await Promise.all([
    run(`kubectl get pods -n ${namespace} -o wide`),
    run(`kubectl get events -n ${namespace} --sort-by=.lastTimestamp`),
  ])
  return `${pods}\n\n${events.split('\n').slice(-15).join('\n')}\n`
}
