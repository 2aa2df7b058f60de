import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, expect, it } from 'vitest'
import { HelmAndKubectl } from '../../src/canary/cluster/helmAndKubectl.ts'
import { auto } from '../../src/tour/auto.ts'
import { ClusterRunner } from '../../src/tour/clusterRunner.ts'
import { lessons } from '../../src/tour/lessons.ts'
import { startOf } from '../../src/tour/runner.ts'
import { CHART, prepare, writeFiles } from '../../src/tour/workFolder.ts'
import { temporary } from '../canary/commandLine.ts'
import type { RunProgram } from '../canary/inProcess.ts'
import { installedReleases } from '../canary/installedReleases.ts'

interface Installed {
  config: { traffic: Record<string, number>; image: { tag: string } }
}

const server = createServer()
afterAll(() => server.close().closeAllConnections())

it('does every lesson on a cluster, by the Helm commands that a learner is told', async () => {
  process.chdir(temporary())
  prepare()
  writeFiles(startOf(1))
  const { cluster, asked, revisions } = await installedReleases(CHART)
  let canary: 'ready' | 'unready' | 'missing' = 'ready'
  const runProgram: RunProgram = async (name, args, signal) => {
    const isCanary = args.includes('devops-api-canary')
    if (args[0] === 'upgrade' && isCanary)
      canary = readFileSync(`${CHART}/values-canary.yaml`, 'utf8').includes('FAULT_READY_AFTER_MS') ? 'unready' : 'ready'
    if (args[0] !== 'uninstall') return cluster(name, args, signal)
    asked.push([name, ...args].join(' '))
    canary = 'missing'
    return { stdout: '', stderr: '', failed: false }
  }

  let credit = 0
  server.on('request', ({ headers }, response) => {
    const { traffic, image } = (revisions() as { config: unknown }[] as [Installed])[0].config
    const { stable = 0, canary: weight = 0 } = traffic
    credit += weight
    const isCanarys = (traffic.preview && headers['x-canary'] === 'always') || credit >= stable + weight
    if (credit >= stable + weight) credit -= stable + weight
    if (isCanarys && canary !== 'ready') response.writeHead(canary === 'missing' ? 500 : 503).end()
    else {
      const version = isCanarys ? 'v1.1.1-canary' : `v${image.tag.replace(/^v/, '')}`
      response.setHeader('app-role', isCanarys ? 'canary' : 'stable').end(JSON.stringify({ version }))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const { signal } = new AbortController()
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const written = text(stdout)
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const runner = new ClusterRunner(
    { url, host: 'a.internal', namespace: 'n' },
    new HelmAndKubectl({ namespace: 'n', chart: CHART }, { runProgram, signal }),
    signal,
  )
  await runner.start()
  const isDone = await auto(1, runner, { stdout: stdout as unknown as NodeJS.WriteStream, stderr, signal, runProgram })
  stdout.end()
  const said = await written
  expect(isDone, said).toBe(true)
  for (const [index] of lessons.entries()) expect(said).toContain(`Done: lesson ${index + 1}.`)
  expect(said).toContain('2 × 500 without a version')
  expect(said).toContain('2 × 503 without a version')
  const told = [...said.matchAll(/^ +helm (.*)$/gm)].map(([, command]) => `helm ${command}`)
  expect(told.length).toBeGreaterThan(10)
  for (const command of told) expect(asked).toContainEqual(expect.stringContaining(command))
})
