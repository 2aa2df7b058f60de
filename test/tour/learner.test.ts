import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { HelmAndKubectl } from '../../src/canary/cluster/helmAndKubectl.ts'
import { choices } from '../../src/tour/choices.ts'
import { interactive } from '../../src/tour/interactive.ts'
import { judgeAnswer, judgeLesson } from '../../src/tour/lessonState.ts'
import { lessons } from '../../src/tour/lessons.ts'
import { demoPlace } from '../../src/tour/place.ts'
import { type Runner, startOf } from '../../src/tour/runner.ts'
import { Screen } from '../../src/tour/screen.ts'
import { CHART, forgetFrom, prepare, readProgress, writeFiles } from '../../src/tour/workFolder.ts'
import { temporary } from '../canary/commandLine.ts'
import { gateway } from '../canary/fakeService.ts'
import { withoutCluster } from '../canary/inProcess.ts'

const { signal } = new AbortController()
const helm = new HelmAndKubectl({ chart: CHART }, { runProgram: withoutCluster, signal })
const stableFile = `${CHART}/values-stable.yaml`
const canaryFile = `${CHART}/values-canary.yaml`

beforeEach(() => {
  process.chdir(temporary())
  prepare()
})

/** A letter that is right, or one that is not. */
const letter = (number: number, isRight: boolean) => choices(number).find((choice) => choice.isRight === isRight)?.letter ?? ''

describe('a lesson', () => {
  /** What is said of a lesson whose files are as they should be at its end, but for an edit. */
  async function verdict(number: number, edit: () => void, weights = {}) {
    const { url } = await gateway(weights)
    writeFiles(startOf(number))
    edit()
    return judgeLesson(number, { place: demoPlace(url), helm, patienceMs: 0, signal })
  }
  const replace = (path: string, from: string | RegExp, to: string) =>
    writeFileSync(path, readFileSync(path, 'utf8').replace(from, to))
  const weights = (stable: number, canary: number) =>
    replace(stableFile, /stable: \d+\n {2}canary: \d+/, `stable: ${stable}\n  canary: ${canary}`)

  it.each<[string, number, () => void, string]>([
    ['that nobody has begun', 3, () => {}, `the weights in ${stableFile} are 90/10, and should be 50/50.`],
    ['with other weights', 3, () => weights(60, 40), `the weights in ${stableFile} are 60/40, and should be 50/50.`],
    ['with no weights', 3, () => weights(0, 0), `the weights in ${stableFile} are 0/0, and should be 50/50.`],
    [
      'with a number in quotes',
      3,
      () => replace(stableFile, '90', '"50"'),
      `traffic.stable in ${stableFile} is "50": it must be`,
    ],
    ['with what is no YAML', 3, () => replace(stableFile, 'traffic:', 'traffic'), `Helm cannot read ${stableFile}: line 3`],
    ['whose file is gone', 4, () => rmSync(canaryFile), `${canaryFile} is not there: write it anew.`],
    ['without its fault', 4, () => weights(100, 0), `env.FAULT_ERROR_RATE in ${canaryFile} is not there, and should be "0.2".`],
    ['not in force', 3, () => weights(50, 50), 'the replies do not follow yet: '],
  ])('%s is explained', async (_, number, edit, sentence) => {
    const { isDone, text } = await verdict(number, edit)
    expect(isDone).toBe(false)
    expect(text).toContain(`**Not yet:** ${sentence}`)
    expect(readProgress().done).toEqual([])
  })

  it('is done with any weights of the same ratio, and understood with its answer', async () => {
    const { text } = await verdict(3, () => weights(1, 1), { stable: 1, canary: 1 })
    expect(text).toBe('**Done.** The question is open: a, b or c?')
    expect(judgeAnswer(3, letter(3, false))).toMatchObject({
      isDone: false,
      text: expect.stringMatching(/^\*\*Not quite:\*\* .*\? /),
    })
    expect(judgeAnswer(3, letter(3, true))).toMatchObject({ isDone: true, text: expect.stringMatching(/^\*\*Right:\*\* /) })
    // What is done stays done, whatever comes next.
    expect(await verdict(3, () => {})).toEqual({ isDone: true, text: '**Lesson 3 is done, and understood.**' })
    forgetFrom(3)
    expect((await verdict(3, () => {})).isDone).toBe(false)
  })
})

describe('every lesson', () => {
  it.each(lessons.map(({ title }, index) => [title, index + 1] as const))(
    '%s has one right answer of three, and hints',
    (_, number) => {
      expect(choices(number).map((choice) => choice.letter)).toEqual(['a', 'b', 'c'])
      expect(choices(number).filter(({ isRight }) => isRight)).toHaveLength(1)
      expect(lessons[number - 1]?.hints.length).toBeGreaterThan(0)
    },
  )
})

it('leads a learner on, and keeps what was done', async () => {
  const { url } = await gateway()
  const input = new PassThrough()
  const output = new PassThrough()
  let seen = ''
  output.on('data', (data) => {
    seen += data
  })
  const begun: unknown[] = []
  const runner = {
    place: demoPlace(url),
    helm,
    begin: async (files: unknown) => begun.push(files),
  } as unknown as Runner
  writeFiles(startOf(1))
  const lines = createInterface({ input, output })
  const ended = interactive(1, runner, lines, new Screen(output as unknown as NodeJS.WriteStream), signal)
  const says = async (typed: string, answer: string) => {
    seen = ''
    input.write(`${typed}\n`)
    await vi.waitFor(() => expect(seen).toContain(answer), { timeout: 120_000, interval: 10 })
  }
  await vi.waitFor(() => expect(seen).toContain('q: quit > '), { timeout: 120_000 })
  expect(seen).toContain(`live page: ${url}/`)
  await says('what', 'what is nothing that is known here.')
  await says('h', 'Hint: Nothing is to be edited')
  await says(letter(1, false), 'Not quite: ')
  await says('', 'Done. The question is open: a, b or c?')
  await says(letter(1, true), 'Enter: lesson 2')
  await says('', 'Lesson 2 of')
  expect(begun).toEqual([startOf(2)])
  input.write('q\n')
  await ended
  lines.close()
  expect(readProgress()).toEqual({ done: [1], answered: [1] })
})
