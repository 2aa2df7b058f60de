import { type Choice, choices } from './choices.ts'
import { type Lesson, lessons } from './lessons.ts'
import { type Looking, whatIsMissing } from './whatIsMissing.ts'
import { noteProgress, readProgress } from './workFolder.ts'

/** What there is to say, and whether the lesson is done with it. */
export interface Verdict {
  /** Done, and its question answered. */
  readonly isDone: boolean
  /** In Markdown. */
  readonly text: string
}

/** Whether what is to be done in a lesson is done, and its question answered. What was once seen to be done stays so. */
export async function judgeLesson(number: number, looking: Looking): Promise<Verdict> {
  if (!readProgress().done.includes(number)) {
    const missing = await whatIsMissing(lessons[number - 1] as Lesson, looking)
    if (missing.length > 0) return { isDone: false, text: missing.map((sentence) => `**Not yet:** ${sentence}.`).join('\n\n') }
    note('done', number)
  }
  if (!readProgress().answered.includes(number)) {
    const letters = choices(number).map(({ letter }) => letter)
    return { isDone: false, text: `**Done.** The question is open: ${letters.slice(0, -1).join(', ')} or ${letters.at(-1)}?` }
  }
  return { isDone: true, text: `**Lesson ${number} is done, and understood.**` }
}

/** What there is to say about an answer; a right one is kept. */
export function judgeAnswer(number: number, letter: string): Verdict {
  const { text, because, isRight } = choices(number).find((choice) => choice.letter === letter) as Choice
  if (!isRight) return { isDone: false, text: `**Not quite:** ${text}? ${because}` }
  note('answered', number)
  return { isDone: readProgress().done.includes(number), text: `**Right:** ${text}. ${because}` }
}

function note(what: 'done' | 'answered', number: number): void {
  noteProgress({ [what]: [...new Set([...readProgress()[what], number])].toSorted((a, b) => a - b) })
}
