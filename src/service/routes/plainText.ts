/** The schema of a reply that is not JSON. */
export const plainText = (description: string) => ({ description, content: { 'text/plain': { schema: { type: 'string' } } } })
