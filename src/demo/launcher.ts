import { readFileSync } from 'node:fs'

/**
 * The pid of who started this process: npm, when npm did, even where its shell stands between. It changes when that one is gone.
 * Without /proc it is the parent, which is npm as well with a shell that gives way to its only command, such as bash.
 */
export function launcher(): number {
  try {
    const [, name, parent] = /\((.*)\) \w (\d+)/s.exec(readFileSync(`/proc/${process.ppid}/stat`, 'utf8')) ?? []
    return name === 'sh' ? Number(parent) : process.ppid
  } catch {
    return process.ppid
  }
}
