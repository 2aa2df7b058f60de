import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { blocks } from '../readme.ts'
import { chart, copyChart, removeChart } from './chart.ts'
import { poll, sh } from './cluster.ts'

/** The different lines of `sort | uniq -c`, without their counts, which are the gateway's to choose. */
const versions = (output: string) => output.match(/\{.*\}/g)

/** Set once it is certain that the namespace is not somebody else's. */
let cleanUp = async () => {}

beforeAll(async () => {
  copyChart()
  if (await sh('kubectl get namespace devops-api --ignore-not-found')) {
    throw new Error('there is a namespace devops-api already, and whoever follows the README ends with deleting it')
  }
  cleanUp = async () => void (await sh('kubectl delete namespace devops-api --ignore-not-found'))
})

afterAll(async () => {
  await cleanUp()
  removeChart()
})

const headings = ['Install', 'Watch', 'Move traffic', 'Promote', 'Roll back', 'Remove']
it.each(headings)('The README can be followed to the letter: %s', async (heading) => {
  let script = ''
  for (const { language, text } of blocks(heading)) {
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
