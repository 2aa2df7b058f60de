import type { Command, Option } from 'commander'

const PROGRAM = 'canary'

/** For each shell, a script that has it complete the commands, their options, and the files and folders that these name. */
export const completionScripts: Record<string, (commands: readonly Command[]) => string> = { bash, zsh, fish }

const shells = {
  posix: (text: string) => `'${text.replaceAll("'", "'\\''")}'`,
  fish: (text: string) => `'${text.replaceAll(/['\\]/g, '\\$&')}'`,
}

type Value = 'none' | 'folder' | 'file' | 'other'

/** What stands behind an option. */
function valueKind({ flags }: Option): Value {
  const [, name] = /<(.+)>$/.exec(flags) ?? []
  if (name === undefined) return 'none'
  return name === 'folder' || name === 'file' ? name : 'other'
}

const namesOf = ({ short, long }: Option) => [short, long].filter((name) => name !== undefined)

/** The names of all options, of any command, with such a value. */
function namesWith(commands: readonly Command[], value: Value): string {
  const options = commands.flatMap((command) => command.options).filter((option) => valueKind(option) === value)
  return [...new Set(options.flatMap(namesOf))].join('|')
}

function bash(commands: readonly Command[]): string {
  const words = (command: Command) => [...command.options.flatMap(namesOf), '--help'].join(' ')
  return `_${PROGRAM}() {
  local current=\${COMP_WORDS[COMP_CWORD]} words
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then words='${commands.map((command) => command.name()).join(' ')} --help'; else
    case \${COMP_WORDS[COMP_CWORD-1]} in
      ${namesWith(commands, 'folder')}) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$current")); return ;;
      ${namesWith(commands, 'file')}) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); return ;;
      ${namesWith(commands, 'other')}) return ;;
    esac
    case \${COMP_WORDS[1]} in
${commands.map((command) => `      ${command.name()}) words='${words(command)}' ;;`).join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _${PROGRAM} ${PROGRAM}
`
}

function zsh(commands: readonly Command[]): string {
  const actions = { none: '', folder: ':folder:_directories', file: ':file:_files', other: ':value:' }
  const spec = (option: Option) => {
    const about = `[${option.description.replaceAll(/[[\]\\]/g, '\\$&')}]${actions[valueKind(option)]}`
    return namesOf(option).map((name) => shells.posix(`*${name}${about}`))
  }
  return `#compdef ${PROGRAM}
_${PROGRAM}() {
  if (( CURRENT == 2 )); then
    local -a commands=(
${commands.map((command) => `      ${shells.posix(`${command.name()}:${command.description()}`)}`).join('\n')}
    )
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${commands.map((command) => `    ${command.name()}) _arguments ${command.options.flatMap(spec).join(' ')} ;;`).join('\n')}
  esac
}
if [ "\${funcstack[1]}" = _${PROGRAM} ]; then _${PROGRAM} "$@"; else compdef _${PROGRAM} ${PROGRAM}; fi
`
}

function fish(commands: readonly Command[]): string {
  const values = { none: '', folder: " -x -a '(__fish_complete_directories)'", file: ' -r -F', other: ' -x' }
  const line = (command: Command, option: Option) => {
    const { short, long, description } = option
    const names = `${short ? ` -s ${short.slice(1)}` : ''}${long ? ` -l ${long.slice(2)}` : ''}`
    const when = `-n '__fish_seen_subcommand_from ${command.name()}'`
    return `complete -c ${PROGRAM} ${when}${names}${values[valueKind(option)]} -d ${shells.fish(description)}`
  }
  return [
    `complete -c ${PROGRAM} -f`,
    ...commands.map(
      (command) =>
        `complete -c ${PROGRAM} -n __fish_use_subcommand -a ${command.name()} -d ${shells.fish(command.description())}`,
    ),
    ...commands.flatMap((command) => command.options.map((option) => line(command, option))),
    '',
  ].join('\n')
}
