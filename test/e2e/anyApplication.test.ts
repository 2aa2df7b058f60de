import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { copyChart, removeChart } from './chart.ts'
import { deleteNamespace, env, namespace as ours, poll, run } from './cluster.ts'
import { gateway } from './gateway.ts'

const { GATEWAY_CLASS = 'traefik' } = process.env
const root = join(import.meta.dirname, '../..')
const namespace = `${ours}-any`
const hostname = 'any-application.example'
const folder = mkdtempSync(join(tmpdir(), 'any-application-'))
const chart = join(folder, 'shop')
const fileOf = (role: string) => join(chart, `values-${role}.yaml`)

/** An application that says nothing about itself, in the image that is there. */
const server = `require("node:http").createServer((request, response) => {
  const fails = process.env.FAILS === "yes" && request.url !== "/" && Math.random() < 0.3
  response.writeHead(fails ? 500 : 200).end("hello")
}).listen(8080); process.on("SIGTERM", () => process.exit())`

function edit(path: string, from: string | RegExp, to: string): void {
  const text = readFileSync(path, 'utf8')
  expect(text).toMatch(from)
  writeFileSync(path, text.replace(from, to))
}

async function canary(command: string, ...args: string[]) {
  const url = `http://${gateway.host}:${gateway.port}`
  const place = command.startsWith('check') ? [url] : ['--url', url, '--namespace', namespace]
  const all = ['src/canary/main.ts', ...command.split(' '), ...args, '--chart', chart, ...place, '--host', hostname]
  const { exitCode, all: text } = await execa(process.execPath, all, { cwd: root, env, reject: false, all: true })
  return { exitCode, text }
}

const install = (role: string) =>
  run(`helm upgrade --install shop-${role} ${chart} --values ${fileOf(role)} -n ${namespace} --wait --timeout 120s`)
const weights = () => run(`kubectl get httproute shop-stable -n ${namespace} -o jsonpath={.spec.rules[0].backendRefs[*].weight}`)

beforeAll(async () => {
  copyChart()
  await execa('helm', ['create', 'shop'], { cwd: folder, env })
  const values = join(chart, 'values.yaml')
  edit(values, 'repository: nginx', 'repository: devops-api')
  edit(values, /^ {2}port: 80$/m, '  port: 8080')
  edit(
    values,
    'podSecurityContext: {}',
    'podSecurityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: RuntimeDefault } }',
  )
  edit(values, /^securityContext: \{\}/m, 'securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }')
  edit(
    join(chart, 'templates/deployment.yaml'),
    / {10}image: .*\n/,
    `$&          command: [/nodejs/bin/node, --eval, ${JSON.stringify(server)}]\n          env: [{ name: FAILS, value: {{ .Values.fails | default "no" | quote }} }]\n`,
  )
  edit(
    join(chart, 'Chart.yaml'),
    /$/,
    '\nannotations: { canary.devops-api/version-from: none, canary.devops-api/steps: "50,100" }\n',
  )
  await execa(process.execPath, ['src/canary/main.ts', 'init', chart, '--gateway', 'public', '--hostname', hostname], {
    cwd: root,
    env,
  })
  for (const role of ['stable', 'canary']) edit(fileOf(role), /tag: .*/, 'tag: "1.1.1"')
  await run(`kubectl create namespace ${namespace}`)
  const listeners = [{ name: 'http', port: 8000, protocol: 'HTTP' }]
  const spec = { gatewayClassName: GATEWAY_CLASS, listeners }
  const manifest = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', metadata: { name: 'public' }, spec }
  await run(`kubectl apply -n ${namespace} -f -`, JSON.stringify(manifest))
  await install('canary')
  await install('stable')
})

afterAll(async () => {
  await deleteNamespace(namespace)
  rmSync(folder, { recursive: true })
  removeChart()
})

it('A bad canary of an application that says nothing is taken back, because the route says whose each reply is', async () => {
  edit(fileOf('canary'), /$/, '\nfails: "yes"\n')
  await install('canary')
  const { exitCode, text } = await canary('promote')
  expect(text).toMatch(/canary failed [1-9]\d* of .*, stable 0 of/)
  expect(text).toContain('Not promoted: FAIL. Back at 100/0')
  expect(exitCode).toBe(1)
  expect(await weights()).toBe('100')
})

it('A good one is promoted, step by step', async () => {
  edit(fileOf('canary'), 'fails: "yes"', 'fails: "never"')
  await install('canary')
  const { exitCode, text } = await canary('promote')
  expect(text).toContain('Judge canary at 50 %')
  expect(text).toContain('Promoted: stable serves everything.')
  expect(exitCode).toBe(0)
  const fails = '{.spec.template.spec.containers[0].env[0].value}'
  expect(await run(`kubectl get deployment shop-stable -n ${namespace} -o jsonpath=${fails}`)).toBe('never')
})

it('Without the header, availability alone is judged, and nothing is promoted', async () => {
  edit(fileOf('stable'), / {2}roleHeader: .*/, '')
  await install('stable')
  edit(fileOf('canary'), 'fails: "never"', 'fails: "no"')
  await install('canary')
  await poll(async () => expect((await canary('check')).text).toMatch(/^NOT APPLICABLE split$/m))
  const { exitCode, text } = await canary('promote')
  expect(text).toContain('canary cannot be judged: replies say neither version nor role')
  expect(exitCode).toBe(64)
  expect(await weights()).toBe('100')
})
