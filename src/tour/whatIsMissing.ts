import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { parse } from 'yaml'
import { WrongUse } from '../canary/errors.ts'
import { list } from '../canary/format.ts'
import { addLimits, type LimitOptions, limitsOf } from '../canary/options.ts'
import { type Role, roles } from '../canary/roles.ts'
import { declaredSplit } from '../canary/values/declaredSplit.ts'
import type { Values } from '../canary/values/values.ts'
import { type RunsHelm, ValuesReader, valuesPath } from '../canary/values/valuesReader.ts'
import { showWeights, weightsOf } from '../canary/values/weights.ts'
import type { Expectation } from '../canary/verdict/expectation.ts'
import { type Report, sampleAndJudge } from '../canary/verdict/sampleAndJudge.ts'
import { editedPaths, lessonFiles } from './lessonFiles.ts'
import type { Lesson } from './lessons.ts'
import type { Place } from './place.ts'
import { CHART } from './workFolder.ts'

/** Between two looks at replies that are not as they should be yet. */
const PAUSE_MS = 300
/** Those of the CLI, where nothing is typed. */
const limits = limitsOf(addLimits(new Command()).opts<LimitOptions>())

/** Where a lesson is judged, and for how long replies may take to follow what the files say. */
export interface Looking {
  readonly place: Place
  readonly helm: RunsHelm
  readonly patienceMs: number
  readonly signal: AbortSignal
}

/**
 * What is left to do until a lesson is done, a sentence each: what the values files should say, else what the replies should be.
 * Files are looked at once, as somebody has saved them or not; replies are waited for.
 */
export async function whatIsMissing(lesson: Lesson, looking: Looking): Promise<string[]> {
  try {
    const reader = new ValuesReader(looking.helm)
    const inFiles = (await Promise.all(roles.map((role) => missingInFile(role, lesson, reader)))).flat()
    if (inFiles.length > 0) return inFiles
    const split = await declaredSplit(reader, CHART)
    const deadline = performance.now() + looking.patienceMs
    for (;;) {
      const missing = await missingInReplies(lesson, split, looking)
      if (missing === undefined) return []
      if (performance.now() > deadline || looking.signal.aborted) return [missing]
      await sleep(PAUSE_MS)
    }
  } catch (error) {
    if (error instanceof WrongUse) return [error.message]
    throw error
  }
}

async function missingInFile(role: Role, lesson: Lesson, reader: ValuesReader): Promise<string[]> {
  const path = valuesPath(CHART, role)
  if (!existsSync(path)) return [`${path} is not there: write it anew`]
  const { values } = await reader.file(path)
  const wanted: Values = parse(lessonFiles(lesson).end[role] ?? '')
  const missing = editedPaths(lesson)[role].flatMap((name) => {
    const [is, should] = [valueAt(values, name), valueAt(wanted, name)]
    return is === should ? [] : [`${name} in ${path} is ${shown(is)}, and should be ${shown(should)}`]
  })
  if (role === 'canary') return missing
  const [is, should] = [weightsOf(values), weightsOf(wanted)]
  const isSame = is.stable * should.canary === is.canary * should.stable && is.stable + is.canary > 0
  return [...missing, ...(isSame ? [] : [`the weights in ${path} are ${showWeights(is)}, and should be ${showWeights(should)}`])]
}

async function missingInReplies(lesson: Lesson, split: Expectation, looking: Looking): Promise<string | undefined> {
  const { sample, gates } = await ask(looking, split)
  const { failsWith, preview } = lesson
  const failed = [...sample.failures.keys()]
  if (failsWith !== undefined) {
    if (failed.some((failure) => failure.startsWith(`${failsWith}`))) return undefined
    return `no request fails with ${failsWith} yet${failed.length > 0 ? `, but with ${failed.join(', ')}` : ''}`
  }
  const gate = gates.find(({ name }) => name === 'split')
  if (gate?.verdict !== 'PASS')
    return `the replies do not follow yet: ${failed.length > 0 ? list(sample.failures) : gate?.reason}`
  if (!preview) return undefined
  const shown = await ask(looking, [{ role: 'canary', share: 1 }], Object.fromEntries([preview]))
  if (shown.gates.find(({ name }) => name === 'split')?.verdict === 'PASS') return undefined
  return `requests with the header ${preview.join(': ')} do not all reach the canary yet`
}

function ask({ place, signal }: Looking, expectation: Expectation, headers: Record<string, string> = {}): Promise<Report> {
  const { url, host } = place
  return sampleAndJudge({
    target: {
      url: new URL('/version', url),
      headers: { ...headers, ...(host !== undefined && { host }) },
      connections: 10,
      timeoutMs: 5000,
    },
    expectation,
    limits,
    rate: Number.POSITIVE_INFINITY,
    signal,
  })
}

const valueAt = (values: object, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], values)

const shown = (value: unknown) => (value === undefined ? 'not there' : JSON.stringify(value))
