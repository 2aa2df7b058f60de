/** What the caller got wrong. The message is one line: what is wrong, the value, and what would be right. */
export class WrongUse extends Error {}
