/** The schema of a reply that is not JSON. */
export const text = (type: `text/${string}`, description: string) => ({
  description,
  content: { [type]: { schema: { type: 'string' } } },
})
