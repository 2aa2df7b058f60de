import { get } from 'node:http'

/** Asks like the kubelet, on a connection of its own: nothing when the reply is 200 to 399, else in a few words why not. */
export function probe(url: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      const { statusCode = 0 } = response
      response.destroy()
      resolve(statusCode >= 200 && statusCode < 400 ? undefined : `${statusCode}`)
    })
    request.on('error', ({ name, message }) => resolve(name === 'AbortError' ? `no answer in ${timeoutMs / 1000} s` : message))
  })
}
