import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { blocks, pageAt } from '../markdown.ts'
import { chart, copyChart, removeChart } from './chart.ts'
import { deleteNamespace, poll, sh } from './cluster.ts'
import { gateway, hostname } from './gateway.ts'

const root = join(import.meta.dirname, '../..')

/** The different lines of `sort | uniq -c`, without their counts, which are the gateway's to choose. */
const versions = (output: string) => output.match(/\{.*\}/g)

/** Set once it is certain that the namespace is not somebody else's. */
let cleanUp = async () => {}

beforeAll(async () => {
  copyChart()
  if (await sh('kubectl get namespace devops-api --ignore-not-found')) {
    throw new Error('there is a namespace devops-api already, and whoever follows docs/cluster.md ends with deleting it')
  }
  cleanUp = () => deleteNamespace('devops-api')
})

afterAll(async () => {
  await cleanUp()
  removeChart()
})

const walk = ['Install', 'Watch', 'Your own host name', 'Preview by header', 'Move traffic', 'Promote', 'Roll back', 'Remove']
it.each(walk)('docs/cluster.md can be followed to the letter: %s', async (heading) => {
  let script = ''
  for (const { language, text } of blocks(heading, pageAt('docs/cluster.md'))) {
    if (language === 'yaml') {
      const [, file = ''] = /^# (.*)/.exec(text) ?? []
      writeFileSync(join(chart, file), text)
    } else if (language === 'sh') {
      script = text
      await sh(script)
    } else {
      // What the last of the commands prints, once the gateway has followed.
      const watch = script.trim().split('\n').at(-1) ?? ''
      await poll(async () => expect(versions(await sh(watch))).toEqual(versions(text)))
    }
  }
})

it('The five commands of the README take a canary from its installation to 100/0', async () => {
  copyChart()
  // Where the README is read, beside the folder of the chart, there is the script of the CLI.
  const scripts = { canary: `node ${join(root, 'src/canary/main.ts')}` }
  writeFileSync(join(chart, '../package.json'), JSON.stringify({ scripts }))
  const readme = pageAt('README.md')
  const commands = (blocks('On your cluster', readme)[0]?.text ?? '').trim().split('\n')
  expect(commands).toHaveLength(5)
  // As the README says for a Gateway whose own address may be out of reach.
  const asking = `--url http://${gateway.host}:${gateway.port} --host ${hostname}`
  for (const command of commands) {
    const typed = command.includes(' canary -- ') ? `${command} ${asking}` : command
    const follow = () => sh(`cd ..\n${typed}`)
    // Right after the installation, the gateway may not have followed yet.
    if (command.includes(' status ')) await poll(async () => expect(await follow()).toContain('All of it agrees.'))
    else await follow()
  }
  const weights = 'kubectl get httproute devops-api-stable -n devops-api -o jsonpath={.spec.rules[0].backendRefs[*].weight}'
  expect(await sh(weights)).toBe('100 0')
})
