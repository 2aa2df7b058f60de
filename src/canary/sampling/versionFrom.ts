/** Where a reply says its version. */
export interface VersionFrom {
  /** As it is typed. */
  readonly text: string
  /** The header that an error says it in, and with `header:NAME` a good reply as well; undefined where no reply says any. */
  readonly header: string | undefined
  /** What the body of a good reply says; undefined where the header counts. */
  readonly inBody?: (body: string) => string | undefined
}

export const HEADER = /^header:([\w!#$%&'*+.^`|~-]+)$/

/**
 * What `json:/version`, `header:NAME`, `text` or `none` says.
 * @throws {Error} whose message says what is allowed
 */
export function versionFrom(text: string): VersionFrom {
  const [, header] = HEADER.exec(text) ?? []
  if (header !== undefined) return { text, header: header.toLowerCase() }
  if (text === 'none') return { text, header: undefined }
  if (text === 'text') return { text, header: 'app-version', inBody: (body) => body.trim() }
  // https://www.rfc-editor.org/rfc/rfc6901
  const [, pointer] = /^json:((?:\/(?:[^~]|~[01])*)?)$/.exec(text) ?? []
  if (pointer === undefined)
    throw new Error(
      'It must be json:/POINTER (RFC 6901, such as json:/version or json:/build/tag), header:NAME, text (the whole body) or none.',
    )
  const keys = pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  return { text, header: 'app-version', inBody: (body) => inJson(body, keys) }
}

function inJson(body: string, keys: readonly string[]): string | undefined {
  try {
    const found = keys.reduce<unknown>((value, key) => {
      const isHolder = typeof value === 'object' && value !== null && Object.hasOwn(value, key)
      return isHolder ? (value as Record<string, unknown>)[key] : undefined
    }, JSON.parse(body))
    return typeof found === 'string' ? found : undefined
  } catch {
    return undefined
  }
}
