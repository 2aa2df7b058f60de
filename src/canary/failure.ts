/** What stands in the way, or went wrong, outside this program. The message is one line: what, and what to do. */
export class Failure extends Error {}
