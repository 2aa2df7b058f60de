/** Something that is loaded when it is first wanted, so that no start waits for it; a failure is not kept, but tried again. */
export function onDemand<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined
  const tryAgain = (error: unknown) => {
    loaded = undefined
    throw error
  }
  return () => {
    loaded ??= load().catch(tryAgain)
    return loaded
  }
}
