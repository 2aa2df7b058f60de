import { Command } from 'commander'
import type { Terminal } from '../../src/canary/output/terminal.ts'
import { markdownTable } from '../markdown.ts'
import { printed } from './inProcess.ts'

/** The commands of the CLI as commander knows them, in the order of `canary --help`. */
export async function canaryCommands(): Promise<readonly Command[]> {
  const names = (await printed('--help')).matchAll(/^ {2}(\w+)(?: .*)?$/gm)
  const program = new Command()
  for (const [, name = ''] of names) {
    const commands: Record<string, (program: Command, terminal: Terminal) => void> = await import(
      `../../src/canary/commands/${name}.ts`
    )
    // It is described, not run.
    commands[`${name}Command`]?.(program, {} as Terminal)
  }
  return program.commands
}

/** The table of commands in docs/canary.md. */
export async function commandsTable(): Promise<string> {
  const rows = (await canaryCommands()).map((command) => [`\`${command.name()} ${command.usage()}\``, command.description()])
  return markdownTable(['command', 'what it does'], rows)
}

/** The tables of arguments and options in docs/canary.md, one for each set of commands that take the same. */
export async function optionsTables(): Promise<string> {
  const takenBy = new Map<string, { row: string[]; commands: string[] }>()
  for (const command of await canaryCommands()) {
    const add = (name: string, description: string, value = '') => {
      const row = [`\`${name}\``, value, description]
      const key = row.join('\n')
      const known = takenBy.get(key) ?? { row, commands: [] }
      takenBy.set(key, { row, commands: [...known.commands, `\`${command.name()}\``] })
    }
    for (const argument of command.registeredArguments) add(`<${argument.name()}>`, argument.description)
    for (const { flags, description, defaultValue, defaultValueDescription } of command.options)
      add(flags, description, defaultValueDescription ?? (defaultValue === undefined ? '' : `${defaultValue}`))
  }
  const tables = Map.groupBy(takenBy.values(), ({ commands }) => commands.join(', '))
  return [...tables]
    .map(
      ([commands, taken]) =>
        `### ${commands}\n\n${markdownTable(
          ['option', 'default', 'meaning'],
          taken.map(({ row }) => row),
        )}`,
    )
    .join('\n\n')
}
