import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type BuildOptions, build, type Plugin } from 'rolldown'
import manifest from './package.json' with { type: 'json' }

const root = import.meta.dirname
const from = (path: string) => join(root, path)

/**
 * Makes what is published, and nothing else needs: the service and the CLI as JavaScript that runs without node_modules, for the image,
 * and the package.json with which the CLI is packed for npm. Node strips no types below node_modules.
 * @param folder to make anew
 */
export async function bundle(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  const licenses = new Map<string, string>()
  const common: BuildOptions = {
    platform: 'node',
    cwd: root,
    logLevel: 'warn',
    // CommonJS has these, and what it becomes here has not.
    transform: { define: { __filename: 'import.meta.filename', __dirname: 'import.meta.dirname' } },
    plugins: [collectLicenses(licenses)],
  }
  await build([
    // In parts, because the compile cache helps only what is loaded once it is on.
    {
      ...common,
      input: { canary: from('src/canary/main.ts') },
      output: {
        dir: folder,
        minify: true,
        chunkFileNames: 'lib/[name].js',
        banner: ({ isEntry }) => (isEntry ? '#!/usr/bin/env node' : ''),
      },
    },
    {
      ...common,
      input: { server: from('src/service/server.ts') },
      output: { dir: join(folder, 'service'), minify: true, chunkFileNames: '[name].js' },
    },
  ])
  for (const name of ['compileCache.js', 'warmUp.js']) cpSync(from(`src/service/${name}`), join(folder, name))
  for (const name of globSync('page.*', { cwd: from('src/service/page') }))
    cpSync(from(`src/service/page/${name}`), join(folder, 'page', name))
  cpSync(from('LICENSE'), join(folder, 'LICENSE'))
  cpSync(from('docs/canary.md'), join(folder, 'README.md'))
  writeFileSync(join(folder, 'LICENSES.txt'), [...licenses.values()].toSorted().join(`\n${'-'.repeat(79)}\n\n`))
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(published(), undefined, 2)}\n`)
}

/** What npm needs to know of the CLI: without what is bundled, and without the service. */
function published() {
  const { name, version, description, license, type, engines, repository, bin } = manifest
  return {
    ...{ name, version, description, license, type, engines },
    repository: { ...repository, directory: 'docs' },
    bin: Object.fromEntries(Object.keys(bin).map((command) => [command, 'canary.js'])),
    files: ['canary.js', 'lib', 'LICENSES.txt'],
  }
}

/** Notes by the package's name what the license of each package that is bundled wants to be repeated. */
function collectLicenses(licenses: Map<string, string>): Plugin {
  return {
    name: 'licenses',
    generateBundle(_, chunks) {
      for (const chunk of Object.values(chunks)) {
        for (const id of chunk.type === 'chunk' ? chunk.moduleIds : []) {
          const [, folder] = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(relative(root, id).replace(/^/, '/')) ?? []
          if (folder && !licenses.has(folder)) licenses.set(folder, licenseOf(join(root, folder)))
        }
      }
    },
  }
}

function licenseOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const texts = globSync('{LICEN[CS]E,licen[cs]e,NOTICE}*', { cwd: folder }).map((file) =>
    readFileSync(join(folder, file), 'utf8'),
  )
  return [`${name} ${version} (${license})`, ...texts].join('\n\n')
}

if (import.meta.main) await bundle(from('dist'))
