/** The user has had enough. */
export class Interrupted extends Error {}
