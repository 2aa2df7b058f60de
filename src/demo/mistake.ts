/** Something a person can put right: its message says what and how, and is all there is to show. */
export class Mistake extends Error {}
