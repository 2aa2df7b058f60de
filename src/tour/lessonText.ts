import type { Role } from '../canary/roles.ts'
import { valuesPath } from '../canary/values/valuesReader.ts'
import { choices } from './choices.ts'
import { type Files, lessonFiles } from './lessonFiles.ts'
import { type Lesson, lessons, type Step } from './lessons.ts'
import { installed, type Place } from './place.ts'
import { CHART } from './workFolder.ts'

/** Such as "Lesson 3 of 9: Move traffic". */
export const lessonTitle = (number: number): string => `Lesson ${number} of ${lessons.length}: ${lessons[number - 1]?.title}`

/** The parts of a lesson, in Markdown. */
export function lessonParts(number: number, place: Place) {
  const lesson = lessons[number - 1] as Lesson
  const { after } = lessonFiles(lesson)
  const steps = lesson.steps.map((step, index) => {
    const [first = '', ...rest] = [step.do, ...stepText(step, after[index] as Files, place)].join('\n').split('\n')
    return [`${index + 1}. ${first}`, ...rest.map((line) => line && `   ${line}`)].join('\n')
  })
  const answers = choices(number).map(({ letter, text }) => `- **${letter}** ${text}`)
  return {
    why: lesson.why,
    steps,
    see: `**See:** ${lesson.see}`,
    question: `**Question:** ${lesson.question.text}\n\n${answers.join('\n')}`,
  }
}

/** A lesson without its title, in Markdown: the one text of all its forms. */
export function lessonText(number: number, place: Place): string {
  const { why, steps, see, question } = lessonParts(number, place)
  return [why, ...steps, see, question].join('\n\n')
}

/** What is typed in a step. */
function commandOf(step: Step, place: Place): string | undefined {
  if ('curl' in step) return line(curl(step.curl, step.header, place))
  const status = place.status()
  if ('restarts' in step && status) return line(['npm', 'run', '-s', 'canary', '--', ...status])
  if ('canary' in step) return line(['npm', 'run', '-s', 'canary', '--', ...place.canary(step.canary)])
  return undefined
}

/** What to write, or to type, in lines after the sentence that says what to do. */
function stepText(step: Step, files: Files, place: Place): string[] {
  const shell = (command: string) => ['', '```sh', command, '```']
  const yaml = (role: Role) => ['', '```yaml', ...(files[role] ?? '').trimEnd().split('\n'), '```']
  const command = commandOf(step, place)
  if (command !== undefined) return shell(command)
  if ('look' in step) return [`This is \`${valuesPath(CHART, step.look)}\`:`, ...yaml(step.look)]
  if ('edit' in step) {
    const upgrade = place.upgrade(step.edit, step.unready)
    const edit = `Make \`${valuesPath(CHART, step.edit)}\` say this, and save it`
    if (!upgrade) return [`${edit}:`, ...yaml(step.edit)]
    return [`${edit}; then upgrade the release:`, ...yaml(step.edit), ...shell(line(['helm', ...upgrade]))]
  }
  if ('restarts' in step) return ['The demo says them above, in this terminal.']
  if (!('uninstall' in step)) return []
  const uninstall = place.uninstall(step.uninstall)
  if (uninstall) return shell(line(['helm', ...uninstall]))
  const file = valuesPath(CHART, step.uninstall)
  return [`Delete \`${file}\`: here, that is \`helm uninstall ${installed(step.uninstall)}\`.`]
}

function curl(times: number, header: readonly [string, string] | undefined, { url, host }: Place): string[] {
  const headers = [...(host ? [['Host', host]] : []), ...(header ? [header] : [])]
  const options = headers.flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  if (times === 1) return ['curl', ...options, `${url}/version`]
  return ['curl', '-s', '-w', ' %{http_code}\\n', ...options, `${url}/version?[1-${times}]`]
}

/** A command as every shell knows it: in double quotes, where there must be some. */
const line = (words: readonly string[]) => words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `"${word}"`)).join(' ')
