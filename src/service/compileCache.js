// The image loads this before anything else. Node has a compile cache for each user, and can neither find nor make one under a user
// that a platform chose, such as OpenShift's, on a file system that is read-only: there it gets the image's own, under another name.
import { readdirSync, symlinkSync } from 'node:fs'
import { enableCompileCache, getCompileCacheDir } from 'node:module'

const { NODE_COMPILE_CACHE: cache } = process.env
if (cache && !getCompileCacheDir()) {
  const shared = '/dev/shm' // which containers can always write to
  try {
    const [name] = readdirSync(cache)
    symlinkSync(`${cache}/${name}`, `${shared}/${name.replace(/\d+$/, process.getuid())}`)
  } catch {
    // There already, or nowhere to put it: then the start takes longer.
  }
  enableCompileCache(shared)
}
