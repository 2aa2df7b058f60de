import { fold, type Paint } from '../canary/output/terminal.ts'

/** Stands for a space at which no line is to be broken. */
const NO_BREAK = '\u00a0'
/** Longer lines are hard to read. */
const MOST_COLUMNS = 100

/** Markdown, as far as the lessons use it, for a terminal. */
export function onTerminal(markdown: string, columns: number, paint: Paint): string {
  const width = Math.min(columns, MOST_COLUMNS)
  const lines: string[] = []
  let paragraph: string[] = []
  let isCode = false
  const flush = () => {
    lines.push(...folded(paragraph.join(' '), width).map((line) => styled(line, paint)))
    paragraph = []
  }
  for (const line of markdown.split('\n')) {
    const isFence = /^\s*```/.test(line)
    if (isFence || line === '' || isCode || /^\s*(\d+\.|-) /.test(line)) flush()
    if (isFence) isCode = !isCode
    else if (isCode) lines.push(line && `  ${paint('cyan', line)}`)
    else if (line === '') lines.push('')
    else paragraph.push(paragraph.length > 0 ? line.trim() : line)
  }
  flush()
  return lines.join('\n')
}

/** What a list item begins with, its other lines are below. */
function folded(text: string, width: number): string[] {
  if (text === '') return []
  const [, start = '', rest = ''] = /^(\s*(?:\d+\. |- )?)(.*)$/.exec(text) ?? []
  const whole = rest
    .replaceAll(/\[(.*?)\]\(.*?\)/g, '$1')
    .replaceAll(/`.+?`|\*\*.+?\*\*/g, (words) => words.replaceAll(' ', NO_BREAK))
  return fold(whole, width - start.length).map((line, index) => (index === 0 ? start : ' '.repeat(start.length)) + line)
}

const styled = (line: string, paint: Paint) =>
  line
    .replaceAll(/\*\*(.+?)\*\*/g, (_, text) => paint('bold', text))
    .replaceAll(/`(.+?)`/g, (_, text) => paint('cyan', text))
    .replaceAll(/\*(\S+?)\*/g, (_, text) => paint('italic', text))
    .replaceAll(NO_BREAK, ' ')
