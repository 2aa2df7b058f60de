import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { afterAll, expect, it, vi } from 'vitest'
import { removeDemos, startDemo } from './startDemo.ts'

afterAll(removeDemos)

/** The status, and whether all of the reply came. */
async function ask(url: string): Promise<string> {
  const request = get(`${url}/version`, { agent: false })
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    const end = await once(response.resume(), 'end').then(
      () => 'complete',
      () => 'cut off',
    )
    return `${response.statusCode} ${end}`
  } catch (error) {
    return `${(error as NodeJS.ErrnoException).code}`
  }
}

it('shows what Kubernetes and gateways make of a leak, a crash, and connections that are reset', async () => {
  const demo = await startDemo({
    args: ['--values', 'canary.yaml', '--stable-values', 'stable.yaml'],
    files: {
      'canary.yaml': 'replicas: 1\nenv: {FAULT_CRASH_AFTER_MS: "1500"}\n',
      'stable.yaml': 'replicas: 1\ntraffic: {stable: 0, canary: 1}\nenv: {FAULT_LEAK_MIB_PER_S: "100"}\n',
    },
    ready: 'some',
  })
  for (const [role, end] of [
    ['canary', 'ended with exit code 1'],
    ['stable', 'OOMKilled, as it took more memory than its limit'],
  ]) {
    await demo.said(new RegExp(`^devops-api-${role}-\\S+ {2}${end}, restarts at once$`))
    await demo.said(new RegExp(`^devops-api-${role}-\\S+ {2}${end}, restarts in 1 s \\(CrashLoopBackOff\\)$`))
  }
  expect(demo.lines.join('\n')).toMatch(/^devops-api-canary-\S+ {2}injected fault: crash$/m)
  await vi.waitFor(async () => expect(await ask(demo.url)).toBe('503 complete'), { timeout: 120_000, interval: 20 })

  const from = demo.edit('canary.yaml', (values) => values.replace('FAULT_CRASH_AFTER_MS: "1500"', 'FAULT_RESET_RATE: "1"'))
  await demo.said(/^canary {5}1 of 1 ready/, from)
  expect([await ask(demo.url), await ask(demo.url)]).toEqual(['200 cut off', '200 cut off'])
})
