import { styleText } from 'node:util'
import { type Role, roles } from '../canary/roles.ts'

const colours: Record<Role, 'blue' | 'yellow'> = { stable: 'blue', canary: 'yellow' }

/** As wide as the widest subject, but for the names of pods. */
const SUBJECT_WIDTH = 'hostnames'.length
/** Narrower columns would be harder to read than lines that the terminal breaks. */
const MIN_TEXT_WIDTH = 20

/** Writes with the time in front what it is about and what there is to say, in a column of its own that fits the terminal. */
export function print(subject: string, text: string): void {
  const clock = new Date().toTimeString().slice(0, 8)
  const label = subject.padEnd(SUBJECT_WIDTH)
  const indent = `${clock}  ${label}  `.length
  // Some terminals say that they have 0 columns.
  const width = Math.max(MIN_TEXT_WIDTH, (process.stdout.columns || Number.POSITIVE_INFINITY) - indent)
  const lines = text.split('\n').flatMap((line) => wrap(line, width))
  console.log(`${styleText('dim', clock)}  ${paint(subject, label)}  ${lines.join(`\n${' '.repeat(indent)}`)}`)
}

function paint(subject: string, label: string): string {
  const role = roles.find((role) => subject === role || subject.includes(`-${role}-`))
  if (role) return styleText(colours[role], label)
  return styleText(subject === 'mistake' ? 'red' : 'bold', label)
}

function wrap(line: string, width: number): string[] {
  const [first = '', ...words] = line.split(' ')
  const lines = [first]
  for (const word of words) {
    const longer = `${lines.at(-1)} ${word}`
    if (longer.length > width) lines.push(word)
    else lines[lines.length - 1] = longer
  }
  return lines
}
