/** The caller's mistake. The message is one line: what is wrong, the value, and what would be right. */
export class WrongUse extends Error {}

/** Something outside this program stands in the way, or went wrong. The message is one line: what, and what to do. */
export class Failure extends Error {}

/** The user ended the command, by a signal or by answering no. */
export class Interrupted extends Error {}
