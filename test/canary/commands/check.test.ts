import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { copyChart } from '../commandLine.ts'
import { fakeCluster } from '../fakeCluster.ts'
import { fakePrometheus, pair, pod } from '../fakePrometheus.ts'
import { run } from '../inProcess.ts'
import { parseOutput } from '../parseOutput.ts'

describe.concurrent('check --prometheus', () => {
  it('judges real traffic, without a request of its own', async ({ expect }) => {
    const { url } = await fakePrometheus({ scrape: pair() })
    const { exitCode, stdout } = await run(`check --expect 90/10 --prometheus ${url} --bake 1s`)
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^http:\S+: [\d,]+ requests of real traffic in \d+\.\d s\nexpected: stable 90 %, canary 10 %\n/)
    expect(stdout).toMatch(
      /NOT APPLICABLE split\n {2}of real traffic, stable [\d,]+ \(90 %\), canary [\d,]+ \(10 %\): not judged\n/,
    )
    const failing = await fakePrometheus({ scrape: pair({ failed: 30 }) })
    const json = await run(`check --expect v1=90,v2=10 --prometheus ${failing.url} --json --bake 1h`)
    const { from, connections, verdict, sample } = parseOutput('check', json.stdout)
    expect([json.exitCode, from, connections, verdict]).toEqual([1, 'real traffic', null, 'FAIL'])
    expect(sample.sources.find(({ role }) => role === 'canary')?.errors).toEqual({ 500: expect.any(Number) })
  })

  it('takes shares and namespace from the cluster, and says so in Markdown', async ({ expect }) => {
    const { cluster } = await fakeCluster({})
    const chart = copyChart()
    const elsewhere = [
      [
        {
          ...pod('canary', 2),
          __name__: 'http_request_duration_seconds_bucket',
          namespace: 'elsewhere',
          le: '+Inf',
          status: '500',
        },
        1e6,
      ],
    ] as const
    const { url } = await fakePrometheus({ scrape: (n) => [...pair()(n), ...(n > 1 ? elsewhere : [])] })
    const markdown = join(chart, 'report.md')
    const { exitCode, stderr } = await run(
      `check --chart ${chart} --namespace shop --prometheus ${url} --bake 1s --markdown ${markdown}`,
      cluster,
    )
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(readFileSync(markdown, 'utf8')).toMatch(/^### PASS\n\n[\d,]+ requests of real traffic, as counted by /)
  })

  it.each([
    [
      'check http://127.0.0.1:1 --prometheus http://127.0.0.1:1',
      '--prometheus judges real traffic, and sends none: leave out the URL',
    ],
    [
      'check --path / --rate 5 --header a:b --canary-pods x --conformance --prometheus http://127.0.0.1:1',
      '--prometheus judges real traffic, and sends none: leave out --path, --rate, --header, --canary-pods, --conformance',
    ],
    [
      'check --prometheus 127.0.0.1:9090',
      "option '--prometheus <URL>' argument '127.0.0.1:9090' is invalid. It must be the URL of a Prometheus, such as http://127.0.0.1:9090.",
    ],
    [
      'check --prometheus-query nginx',
      "option '--prometheus-query <series>' argument 'nginx' is invalid. It must be service, traefik, or a selector of series in braces, such as '{job=\"shop\"}'.",
    ],
    [
      'check --prometheus http://127.0.0.1:1 --expect 90/10',
      'Prometheus at http://127.0.0.1:1 cannot be asked (connection refused): --prometheus must be where one answers, such as http://127.0.0.1:9090',
    ],
  ])('%s is wrong use', async (line, message) => {
    expect(await run(line)).toEqual({ exitCode: 64, stdout: expect.any(String), stderr: `canary: ${message}` })
  })

  it.each([
    [
      '/\\\\elsewhere/x',
      "option '--path <path>' argument '/\\\\elsewhere/x' is invalid. It must be a path that begins with one '/', such as /version.",
    ],
  ])('refuses %s, which would lead elsewhere', async (path, message) => {
    expect(await run(['check', 'http://127.0.0.1:1', '--path', path])).toMatchObject({
      exitCode: 64,
      stderr: `canary: ${message}`,
    })
  })

  it('is what --bake and --prometheus-query are for', async ({ expect }) => {
    for (const [option, value] of [
      ['--bake', '1m'],
      ['--prometheus-query', 'traefik'],
    ] as const)
      expect(await run(['check', 'http://127.0.0.1:1', option, value])).toMatchObject({
        exitCode: 64,
        stderr: `canary: ${option} needs --prometheus, the URL of the one that counts real traffic`,
      })
  })

  /** What comes of a query, by its exit code and message. */
  async function queried(selector: string): Promise<[exitCode: number, stderr: string]> {
    const { url } = await fakePrometheus({ scrape: pair() })
    const { exitCode, stderr } = await run([
      'check',
      '--expect',
      '90/10',
      '--prometheus',
      `${url}`,
      '--prometheus-query',
      selector,
    ])
    return [exitCode, stderr]
  }

  it('says what does not answer as Prometheus does', async ({ expect }) => {
    expect(await queried('{odd}')).toEqual([
      64,
      expect.stringMatching(/^canary: what is at http:\S+ does not answer as Prometheus does: /),
    ])
  })

  it('says what Prometheus does not understand', async ({ expect }) => {
    expect(await queried('{bad}')).toEqual([64, 'canary: Prometheus refuses {bad}[1s]: parse error: unexpected "bad"'])
  })
})
