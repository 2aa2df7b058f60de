import { afterEach, describe, expect, it, vi } from 'vitest'
import { HelmAndKubectl } from '../../../src/canary/cluster/helmAndKubectl.ts'
import { readClusterState } from '../../../src/canary/cluster/readClusterState.ts'
import { Failure, ProgramRefusal, Unreachable } from '../../../src/canary/errors.ts'

/** Both programs, where each only complains in its way. */
function complaining(helm: string, kubectl: string): HelmAndKubectl {
  const runProgram = async (name: string) => ({ stdout: '', stderr: name === 'helm' ? helm : kubectl, failed: true })
  return new HelmAndKubectl(
    { chart: 'chart', namespace: 'prod', kubeContext: 'c' },
    { runProgram, signal: new AbortController().signal },
  )
}

const cannot = (resource: string, group: string, where = 'in the namespace "prod"') =>
  `${resource}${group && `.${group}`} is forbidden: User "jane" cannot list resource "${resource}" in API group "${group}" ${where}`
const helmForbidden = `Error: query: failed to query with labels: ${cannot('secrets', '')}`
const routesForbidden = `Error from server (Forbidden): ${cannot('httproutes', 'gateway.networking.k8s.io')}`
const loggedOut = 'the server has asked for the client to provide credentials'
const refused = 'dial tcp 127.0.0.1:8080: connect: connection refused'
const memcache = `E1128 16:53:00.708380   16724 memcache.go:265] "Unhandled Error" err="couldn't get current server API group list"\n`
const which = 'is the cluster up, and do KUBECONFIG and --kube-context say which?'

describe('what a program complains of', () => {
  it.each([
    ['Error: release: not found', ProgramRefusal, 'release: not found'],
    [helmForbidden, ProgramRefusal, 'forbidden: user "jane" needs the right to list secrets in the namespace "prod"'],
    [
      `Error from server (Forbidden): ${cannot('deployments', 'apps')}\nError from server (Forbidden): ${cannot('services', '')}`,
      ProgramRefusal,
      'forbidden: user "jane" needs the right to list deployments.apps and list services in the namespace "prod"',
    ],
    [
      `Error from server (Forbidden): ${cannot('gatewayclasses', 'gateway.networking.k8s.io', 'at the cluster scope')}`,
      ProgramRefusal,
      'forbidden: user "jane" needs the right to list gatewayclasses.gateway.networking.k8s.io at the cluster scope',
    ],
    [
      `Error: kubernetes cluster unreachable: ${loggedOut}`,
      Unreachable,
      `kubernetes cluster unreachable: ${loggedOut}; log in to the cluster again`,
    ],
    [
      `${memcache}error: You must be logged in to the server (${loggedOut})`,
      Unreachable,
      `You must be logged in to the server (${loggedOut}); log in to the cluster again`,
    ],
    [
      `Error: kubernetes cluster unreachable: Get "http://localhost:8080/version": ${refused}`,
      Unreachable,
      `kubernetes cluster unreachable: Get "http://localhost:8080/version": ${refused}; ${which}`,
    ],
    [
      `${memcache}The connection to the server localhost:8080 was refused - did you specify the right host or port?`,
      Unreachable,
      `The connection to the server localhost:8080 was refused - did you specify the right host or port?; ${which}`,
    ],
    ['error: context "x" does not exist', Unreachable, `context "x" does not exist; ${which}`],
  ])('is said on one line, with what would help: %s', async (text, kind, message) => {
    const tools = complaining(text, text)
    await expect(tools.helm('status', 'x', '--output', 'json')).rejects.toThrow(new kind('helm status x', message))
    await expect(tools.kubectl('get', 'x', '--output', 'json')).rejects.toThrow(new kind('kubectl get x', message))
    await expect(tools.kubectl('get', 'x')).rejects.toBeInstanceOf(kind)
  })
})

describe('a cluster that cannot be read', () => {
  it('names all that may not be read, once', async () => {
    await expect(readClusterState(complaining(helmForbidden, routesForbidden))).rejects.toThrow(
      new Failure(
        'helm status devops-api-stable: forbidden: user "jane" needs the right to list secrets in the namespace "prod"; kubectl get deployments,services: forbidden: user "jane" needs the right to list httproutes.gateway.networking.k8s.io in the namespace "prod"',
      ),
    )
  })

  it('is named once where it is away', async () => {
    const away = complaining(
      `Error: kubernetes cluster unreachable: ${refused}`,
      'The connection to the server localhost:8080 was refused',
    )
    await expect(readClusterState(away)).rejects.toThrow(
      new Unreachable('helm status devops-api-stable', `kubernetes cluster unreachable: ${refused}; ${which}`),
    )
  })
})

describe("Helm's variables", () => {
  afterEach(() => void vi.unstubAllEnvs())

  it.each([
    ['HELM_KUBEAPISERVER', 'https://10.0.0.1', ['--server=https://10.0.0.1']],
    ['HELM_KUBECAFILE', 'a b.pem', ['--certificate-authority=a b.pem']],
    ['HELM_KUBETLS_SERVER_NAME', 'x', ['--tls-server-name=x']],
    ['HELM_KUBEINSECURE_SKIP_TLS_VERIFY', 'true', ['--insecure-skip-tls-verify=true']],
    ['HELM_KUBEASUSER', 'jane', ['--as=jane']],
    ['HELM_KUBEASGROUPS', 'a,b', ['--as-group=a', '--as-group=b']],
    ['HELM_KUBEAPISERVER', '', []],
  ])('do not move Helm alone: %s is %j', async (name, value, args) => {
    vi.stubEnv(name, value)
    const asked: string[][] = []
    const runProgram = async (_: string, given: string[]) => {
      asked.push(given)
      return { stdout: '{}', stderr: '', failed: false }
    }
    await new HelmAndKubectl({ chart: 'chart' }, { runProgram, signal: new AbortController().signal }).kubectl('get', 'pods')
    expect(asked).toEqual([
      ['config', 'view', '--minify', '--output', 'json'],
      [...args, 'get', 'pods'],
    ])
  })
})

it.each(['', 'WARNING: old\n{}'])('A program that prints no JSON where it is to is named: %j', async (stdout) => {
  const runProgram = async () => ({ stdout, stderr: '', failed: false })
  const tools = new HelmAndKubectl(
    { chart: 'chart', namespace: 'n', kubeContext: 'c' },
    { runProgram, signal: new AbortController().signal },
  )
  await expect(tools.helm('status', 'x', '--output', 'json')).rejects.toThrow(
    new Failure(
      `helm status x has printed ${JSON.stringify(stdout)}, which is no JSON: the helm on the PATH must be Helm itself`,
    ),
  )
  expect(await tools.kubectl('rollout', 'status')).toBe(stdout)
})
