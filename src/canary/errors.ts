/** The caller's mistake. The message is one line: what is wrong, the value, and what would be right. */
export class WrongUse extends Error {}

/** Something outside this program stands in the way, or went wrong. The message is one line: what, and what to do. */
export class Failure extends Error {}

/** A program that was run, such as Helm, did not do what it was told. */
export class ProgramRefusal extends Failure {
  /** What it said, on one line. */
  readonly complaint: string

  /** @param command as far as it tells what was to be done */
  constructor(command: string, complaint: string) {
    super(`${command}: ${complaint}`)
    this.complaint = complaint
  }
}

/** A program did not reach the cluster, or was not let in. */
export class Unreachable extends ProgramRefusal {}

/** The user ended the command, by a signal or by answering no. */
export class Interrupted extends Error {}
