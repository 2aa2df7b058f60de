import { HEADER } from './versionFrom.ts'

/** How it is known whether a reply is stable's or canary's. */
export interface RoleFrom {
  /** As it is typed. */
  readonly text: string
  /** The header that says it; undefined where the version tells. */
  readonly header: string | undefined
}

/**
 * What `header:NAME` or `version` says.
 * @throws {Error} whose message says what is allowed
 */
export function roleFrom(text: string): RoleFrom {
  const [, header] = HEADER.exec(text) ?? []
  if (header === undefined && text !== 'version') throw new Error('It must be header:NAME or version.')
  return { text, header: header?.toLowerCase() }
}
