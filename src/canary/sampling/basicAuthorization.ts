import { unescape as decode } from 'node:querystring'

/** The header for the user name and password of a URL, if it has any (https://www.rfc-editor.org/rfc/rfc7617). */
export function basicAuthorization({ username, password }: URL): { authorization?: string } {
  if (username === '' && password === '') return {}
  return { authorization: `Basic ${Buffer.from(`${decode(username)}:${decode(password)}`).toString('base64')}` }
}
