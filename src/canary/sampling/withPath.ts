/** A URL that names no path, with the one at which the application says its version; any other as it is. */
export const withPath = (url: URL, path: string): URL => (url.pathname === '/' && url.search === '' ? new URL(path, url) : url)
