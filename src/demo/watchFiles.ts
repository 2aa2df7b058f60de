import { basename } from 'node:path'
import { watch as chokidar, type FSWatcher } from 'chokidar'

/** A file whose size has not changed for so long has been written to its end. */
const STEADY_MS = 100

/**
 * Calls `changed` with the files that were saved, and waits for it to finish before it calls again with those saved meanwhile.
 * Paths are relative to `cwd`, and so are those reported.
 */
export function watchFiles(paths: string[], cwd: string, changed: (files: string[]) => Promise<void>): FSWatcher {
  let saved = new Set<string>()
  let running = false

  const run = async () => {
    if (running) return
    running = true
    while (saved.size > 0) {
      const files = [...saved]
      saved = new Set()
      await changed(files)
    }
    running = false
  }

  const watcher = chokidar(paths, {
    cwd,
    ignoreInitial: true,
    // What Emacs and Vim leave for a moment beside a file, as far as chokidar does not know it.
    ignored: (path) => /^\.?#|^4913$/.test(basename(path)),
    awaitWriteFinish: { stabilityThreshold: STEADY_MS, pollInterval: STEADY_MS / 4 },
  })
  watcher.on('all', (event, path) => {
    if (event === 'addDir' || event === 'unlinkDir') return
    saved.add(path)
    void run()
  })
  return watcher
}
