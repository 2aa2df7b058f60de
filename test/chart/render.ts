import { join } from 'node:path'
import { execa } from 'execa'
import { stringify } from 'yaml'
import type { Role } from '../../src/canary/roles.ts'
import { type Manifest, parse, type Release } from '../../src/demo/render.ts'

export const chart = join(import.meta.dirname, '../../chart')

export type { Release, Role }

/** YAML as a person would write it, or the same as an object. */
export type Values = string | Record<string, unknown>

export interface Options {
  values?: Values
  /** Files of the chart, as in `--values examples/bad-canary.yaml`. */
  overlays?: string[]
  release?: string
  chart?: string
}

/** Runs Helm away from any cluster of the machine's user. */
export function helm(args: string[], { input = '', env = {} }: { input?: string; env?: Record<string, string> } = {}) {
  return execa('helm', args, {
    cwd: chart,
    input,
    reject: false,
    env: { KUBECONFIG: '/dev/null', ...env },
  })
}

/** What an operator types for a role, followed by the options. */
export function valuesArguments(role: Role, { overlays = [], values }: Options = {}) {
  const files = [`values-${role}.yaml`, ...overlays, ...(values === undefined ? [] : ['-'])]
  return files.flatMap((file) => ['--values', file])
}

function template(role: Role, options: Options) {
  const { values = '', release = `devops-api-${role}` } = options
  return helm(['template', release, options.chart ?? '.', '--namespace', 'demo', ...valuesArguments(role, options)], {
    input: typeof values === 'string' ? values : stringify(values),
  })
}

export async function render(role: Role, options: Options = {}): Promise<Release> {
  const { stdout, stderr, failed } = await template(role, options)
  if (failed) throw new Error(stderr)
  return parse(stdout)
}

/** What a person reads when the chart refuses the values, without the lines that Helm puts around every refusal. */
export async function refusal(role: Role, options: Options): Promise<string> {
  const { stdout, stderr, failed } = await template(role, options)
  if (!failed) throw new Error(`nothing refused\n${stdout}`)
  return stderr
    .split('\n')
    .filter((line) => !/^(Error: (values don't meet|execution error)|devops-api:$|Use --debug|$)/.test(line))
    .join('\n')
}

export const manifests = (release: Release): Manifest[] => Object.values(release)

/** The pod of the service, then that of the test. */
export function podTemplates({ Deployment, Pod }: Release) {
  return [Deployment.spec?.template, Pod].map((pod) => {
    const container = pod?.spec?.containers[0]
    if (!pod?.metadata?.labels || !pod.spec || !container) throw new Error('a pod without labels or a container')
    return { labels: pod.metadata.labels, spec: pod.spec, container }
  })
}
