import { columnsOf, painter } from '../canary/output/terminal.ts'
import { lessonTitle } from './lessonText.ts'
import { onTerminal } from './onTerminal.ts'
import type { Place } from './place.ts'

/** What is seen of the tour. */
export class Screen {
  readonly stdout: NodeJS.WriteStream

  constructor(stdout: NodeJS.WriteStream) {
    this.stdout = stdout
  }

  /** Shows Markdown. */
  show(markdown: string): void {
    this.stdout.write(`${onTerminal(markdown, columnsOf(this.stdout), painter(this.stdout))}\n\n`)
  }

  title(number: number, { url }: Place): void {
    const paint = painter(this.stdout)
    this.stdout.write(`\n${paint(['bold', 'inverse'], ` ${lessonTitle(number)} `)}  ${paint('dim', `live page: ${url}/`)}\n\n`)
  }
}
