import { type Role, releaseName } from '../canary/roles.ts'
import { chartName } from '../canary/values/chartName.ts'
import { valuesPath } from '../canary/values/valuesReader.ts'
import { originalChart } from './lessonFiles.ts'
import { CHART } from './workFolder.ts'

/** The Helm release of a role. */
export const installed = (role: Role): string => releaseName(chartName(originalChart), role)

/** Which cluster, and whom to ask there. */
export interface ClusterOptions {
  readonly host?: string
  readonly namespace?: string
  readonly kubeContext?: string
}

/** Where the lessons are done: what is typed there. Commands are words. */
export interface Place {
  /** Where the gateway listens. */
  readonly url: string
  /** The Host header it wants, where any will not do. */
  readonly host?: string | undefined
  /** A command of the CLI, with whom to ask and where the releases are. */
  canary(command: readonly string[]): string[]
  /** The command of the CLI that shows restarts; undefined where they are said without one. */
  status(): string[] | undefined
  /** Helm's words that put a saved values file in force; undefined where saving is enough. */
  upgrade(role: Role, unready?: boolean): string[] | undefined
  /** Helm's words that take a release away; undefined where that is to take its values file away. */
  uninstall(role: Role): string[] | undefined
}

/** The demo, where saving a file is what `helm upgrade` is on a cluster. */
export const demoPlace = (url: string): Place => ({
  url,
  canary: ([name = '', ...options]) =>
    name === 'check' ? [name, url, ...options] : [name, ...options, '--files-only', '--url', url, '--chart', CHART],
  status: () => undefined,
  upgrade: () => undefined,
  uninstall: () => undefined,
})

/** A cluster, which Helm changes. */
export function clusterPlace(url: string, { host, namespace, kubeContext }: ClusterOptions) {
  const where = [...(namespace ? ['-n', namespace] : []), ...(kubeContext ? ['--kube-context', kubeContext] : [])]
  const ask = host ? ['--host', host] : []
  const canary = ([name = '', ...options]: readonly string[]) =>
    name === 'check'
      ? [name, url, ...options, ...ask, '--chart', CHART]
      : [name, ...options, ...where, '--url', url, ...ask, '--chart', CHART]
  return {
    url,
    host,
    canary,
    status: () => canary(['status']),
    upgrade: (role: Role, unready = false) => {
      const values = ['--values', valuesPath(CHART, role)]
      return ['upgrade', '--install', installed(role), CHART, ...values, ...where, ...(unready ? [] : ['--wait'])]
    },
    uninstall: (role: Role) => ['uninstall', installed(role), ...where],
  } satisfies Place
}
