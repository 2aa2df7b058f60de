import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { outputsSchema } from './canary/outputsSchema.ts'
import { describedSchema } from './chart/describedValues.ts'
import { generatedPages, upToDate } from './generatedDocs.ts'
import { labFiles } from './tour/lab.ts'

for (const path of generatedPages) writeFileSync(path, await upToDate(path))
writeFileSync('chart/values.schema.json', JSON.stringify(describedSchema()))
writeFileSync('docs/canary.schema.json', JSON.stringify(outputsSchema()))

for (const [path, text] of Object.entries(labFiles)) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
