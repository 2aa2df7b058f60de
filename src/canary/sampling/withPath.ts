/** A URL that names no path, with the one at which the application says its version; any other as it is. */
export const withPath = (url: URL, path: string): URL => (url.pathname === '/' && url.search === '' ? new URL(path, url) : url)

/** Whether a text is a path, and cannot lead to another host: in a URL, a backslash is a slash. */
export const isPath = (text: string): boolean => /^\/(?![/\\])[!-~]*$/.test(text)
