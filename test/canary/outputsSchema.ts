import { join } from 'node:path'
import { createGenerator } from 'ts-json-schema-generator'

const root = join(import.meta.dirname, '../..')

/** The JSON Schema of what the commands print with --json, out of the types and their comments. */
export function outputsSchema(): object {
  const generator = createGenerator({
    path: join(root, 'src/canary/output/outputs.ts'),
    tsconfig: join(root, 'tsconfig.json'),
    skipTypeCheck: true,
    expose: 'all',
    additionalProperties: false,
  })
  return generator.createSchema('*')
}
