import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { temporary } from '../commandLine.ts'
import { printed, run } from '../inProcess.ts'
import { canaryCommands } from '../optionsTables.ts'

const commands = await canaryCommands()

/** What bash offers for the last of these words. */
async function offered(...words: string[]): Promise<string[]> {
  const script = `${await printed('completion', 'bash')}
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_canary
printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout } = await execa('bash', ['-c', script, 'bash', 'canary', ...words], { cwd: temporary() })
  return stdout.split('\n').filter(Boolean)
}

describe('bash completes', () => {
  it('commands', async () => {
    expect(await offered('')).toEqual([...commands.map((command) => command.name()), '--help'])
    expect(await offered('pro')).toEqual(['promote'])
  })

  it.each(commands.map((command) => [command.name(), command] as const))('every option of %s', async (name, { options }) => {
    const names = options.flatMap(({ short, long }) => [short, long].filter((one) => one !== undefined))
    expect(await offered(name, '-')).toEqual([...names, '--help'])
  })

  it('nothing where a value is to be typed, and not what is no file', async () => {
    expect(await offered('check', '--rate', '')).toEqual([])
    expect(await offered('status', '--chart', '/us')).toEqual(['/usr'])
  })
})

describe.each(['zsh', 'fish'])('the script for %s', (shell) => {
  it('has every command and every option', async () => {
    const script = await printed('completion', shell)
    for (const command of commands) {
      expect(script).toContain(command.name())
      for (const { long = '' } of command.options)
        expect(script).toContain(shell === 'fish' ? `-l ${long.slice(2)}` : `*${long}[`)
    }
  })
})

it('another shell is refused with those that are known', async () => {
  expect(await run('completion tcsh')).toEqual({
    exitCode: 64,
    stdout: '',
    stderr: expect.stringMatching(/^canary: .*'tcsh' is invalid.*bash, zsh, fish/),
  })
})
