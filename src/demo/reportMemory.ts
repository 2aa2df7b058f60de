/** How often; a process that leaks fast must not take the machine's memory before it is noticed. */
const PERIOD_MS = 100

// Preloaded into the process of a pod that has a memory limit, which only a kernel could enforce; the demo does so by what it hears here.
setInterval(() => process.send?.(process.memoryUsage.rss()), PERIOD_MS).unref()
