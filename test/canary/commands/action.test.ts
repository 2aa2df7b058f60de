import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, it } from 'vitest'
import { parse } from 'yaml'
import { root, temporary } from '../commandLine.ts'
import { type Behaviour, gateway } from '../fakeService.ts'
import { parseOutput } from '../parseOutput.ts'

interface Action {
  inputs: Record<string, { default: string }>
  runs: { steps: { id?: string; run: string; env?: Record<string, string> }[] }
}
const action: Action = parse(readFileSync(join(root, 'action.yml'), 'utf8'))

/** The step of action.yml that judges, as the runner starts it: by bash, elsewhere, with the inputs in the environment. */
async function start(inputs: Record<string, string>) {
  const step = action.runs.steps.find(({ id }) => id === 'check')
  const filled = (text: string) =>
    text.replaceAll(/\$\{\{ inputs\.(\w+) \}\}/g, (_, name) => inputs[name] ?? action.inputs[name]?.default ?? `no input ${name}`)
  const folder = temporary()
  const [outputs, summary] = [join(folder, 'output'), join(folder, 'summary')]
  for (const file of [outputs, summary]) writeFileSync(file, '')
  const { exitCode, stdout, stderr } = await execa('bash', ['-e', '-o', 'pipefail', '-c', step?.run ?? 'no step'], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      KUBECONFIG: '/dev/null',
      GITHUB_ACTION_PATH: root,
      GITHUB_OUTPUT: outputs,
      GITHUB_STEP_SUMMARY: summary,
      ...Object.fromEntries(Object.entries(step?.env ?? {}).map(([name, value]) => [name, filled(value)])),
    },
    extendEnv: false,
    reject: false,
  })
  const written = readFileSync(outputs, 'utf8').matchAll(/^(\w+)<<(.+)\n(.*)\n\2$/gm)
  return {
    exitCode,
    stderr,
    commands: stdout.split('\n').filter((line) => /^\s*::/.test(line)),
    outputs: Object.fromEntries([...written].map(([, name, , value]) => [name, value])),
    summary: readFileSync(summary, 'utf8'),
  }
}

const options = '--max-p95-increase=30s\n--timeout=60s\n'

describe.concurrent('the action', () => {
  it('says the verdict, and shows the report', async ({ expect }) => {
    const { url, asked } = await gateway()
    const { exitCode, outputs, summary, commands } = await start({ url, host: 'a.example', expect: '90/10', options })
    expect(commands).toEqual([])
    expect([exitCode, outputs.verdict]).toEqual([0, 'PASS'])
    expect(parseOutput('check', outputs.json ?? '')).toMatchObject({ verdict: 'PASS', url: expect.stringContaining(url) })
    expect(summary).toMatch(/^### PASS\n/)
    expect(asked[0]?.host).toBe('a.example')
  })

  it.each<[string, Behaviour, string]>([
    ['whose errors are too many', { canaryErrorsEvery: 1 }, '::error title=FAIL canary health::'],
    ['that is not there', { canary: 0 }, '::error title=FAIL split::'],
  ])('fails for a canary %s, and annotates why', async (_, behaviour, command) => {
    const { expect } = await import('vitest')
    const { url } = await gateway(behaviour)
    const { exitCode, outputs, commands } = await start({ url, expect: '90/10', options })
    expect([exitCode, outputs.verdict]).toEqual([1, 'FAIL'])
    expect(commands).toContainEqual(expect.stringContaining(command))
  })

  it('has one command for each gate, whatever a server says its version is', async ({ expect }) => {
    const { url, versions } = await gateway()
    versions.canary = '::error::x%0A::set-output name=verdict::PASS'
    const { exitCode, outputs, commands } = await start({ url, expect: 'v1.1.1=90,v2=10', options })
    expect([exitCode, outputs.verdict]).toEqual([1, 'FAIL'])
    const split = commands.filter((line) => line.includes('title=FAIL split'))
    expect(split).toEqual([expect.stringContaining('x%250A::set-output')])
    for (const line of commands) expect(line).toMatch(/^::(error|warning) title=(FAIL|INCONCLUSIVE) [a-z ]+::/)
  })

  it.each([{ options: '--help' }, { options: '--version' }, { url: '--help' }, { options: '--' }])(
    'says so where %o has nothing judged',
    async (inputs) => {
      const { expect } = await import('vitest')
      const { exitCode, outputs, commands, stderr } = await start({ url: 'http://127.0.0.1:9', ...inputs })
      expect([exitCode, outputs]).toEqual([64, {}])
      expect(stderr).not.toContain('Error')
      expect(commands).toEqual([expect.stringMatching(/^::error title=canary check::/)])
    },
  )

  it('has its report, whatever the options say', async ({ expect }) => {
    const { url } = await gateway()
    const elsewhere = join(temporary(), 'none/report.md')
    const { exitCode, summary } = await start({ url, expect: '90/10', options: `${options}--markdown=${elsewhere}\n` })
    expect([exitCode, summary]).toEqual([0, expect.stringMatching(/^### PASS\n/)])
  })

  it('says what is wrong where nothing can be judged', async ({ expect }) => {
    const { exitCode, outputs, commands } = await start({ url: 'nowhere', options })
    expect([exitCode, outputs]).toEqual([64, {}])
    expect(commands).toEqual([expect.stringMatching(/^::error title=canary check::canary: .*'nowhere' is invalid/)])
  })
})
