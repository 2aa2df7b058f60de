import type { Interface } from 'node:readline'
import { judgeAnswer, judgeLesson } from './lessonState.ts'
import { type Lesson, lessons } from './lessons.ts'
import { lessonText } from './lessonText.ts'
import { type Runner, startOf } from './runner.ts'
import type { Screen } from './screen.ts'

/** How long replies may take to follow what was saved; pods are replaced meanwhile. */
const PATIENCE_MS = 20_000

/** Leads somebody through the lessons, from one on, until they have done them all or had enough. */
export async function interactive(
  first: number,
  runner: Runner,
  input: Interface,
  screen: Screen,
  signal: AbortSignal,
): Promise<void> {
  const lines = input[Symbol.asyncIterator]()
  /** What is typed; undefined when there will be no more. */
  const ask = async (prompt: string): Promise<string | undefined> => {
    input.setPrompt(`${prompt} > `)
    input.prompt()
    const { value, done } = await lines.next()
    const typed = done ? 'q' : `${value}`.trim().toLowerCase()
    return typed === 'q' ? undefined : typed
  }
  for (let number = first; number <= lessons.length; number++) {
    if (number > first) await runner.begin(startOf(number))
    screen.title(number, runner.place)
    screen.show(lessonText(number, runner.place))
    if (!(await untilDone(number))) return
    if (number < lessons.length && (await ask(`Enter: lesson ${number + 1} · q: quit`)) === undefined) return
  }
  screen.show('That was the tour. `rm -r tour` removes your files; `npm run tour -- --from 1` begins anew.')

  /** Whether it was done; false where somebody quits. */
  async function untilDone(number: number): Promise<boolean> {
    const { hints } = lessons[number - 1] as Lesson
    for (let hinted = 0; ; ) {
      const typed = await ask('Enter: am I done? · a, b, c: answer · h: hint · q: quit')
      if (typed === undefined) return false
      if (typed === 'h') screen.show(`**Hint:** ${hints[hinted++ % hints.length]}`)
      else if (typed === '' || /^[abc]$/.test(typed)) {
        const { place, helm } = runner
        const judge = () => judgeLesson(number, { place, helm, patienceMs: PATIENCE_MS, signal })
        const { isDone, text } = typed ? judgeAnswer(number, typed) : await judge()
        screen.show(text)
        if (isDone) return true
      } else screen.show(`\`${typed}\` is nothing that is known here. Commands are typed in another terminal.`)
    }
  }
}
