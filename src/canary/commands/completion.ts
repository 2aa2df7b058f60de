import { Argument, type Command } from 'commander'
import { completionScripts } from '../output/completionScripts.ts'
import type { Terminal } from '../output/terminal.ts'

/** `completion SHELL`: what a shell needs to complete what is typed. */
export function completionCommand(program: Command, { stdout }: Terminal): void {
  program
    .command('completion')
    .description('Print a script with which a shell completes commands and options.')
    .addArgument(new Argument('<SHELL>', 'bash, zsh or fish').choices(Object.keys(completionScripts)))
    .action((shell: string) => {
      stdout.write(completionScripts[shell]?.(program.commands) ?? '')
    })
}
