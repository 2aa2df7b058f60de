import { lessons } from './lessons.ts'

/** An answer to choose. */
export interface Choice {
  readonly letter: string
  readonly text: string
  readonly because: string
  readonly isRight: boolean
}

/** The answers to the question of a lesson, the right one not always in the same place. */
export function choices(number: number): Choice[] {
  const answers = lessons[number - 1]?.question.answers ?? []
  const all = answers.map(([text, because], index) => ({ text, because, isRight: index === 0 }))
  const places = all.map((_, place) => all[(place + number) % all.length] as (typeof all)[number])
  return places.map((answer, place) => ({ letter: 'abc'.charAt(place), ...answer }))
}
