import { writeFileSync } from 'node:fs'
import { outputsSchema } from './canary/outputsSchema.ts'
import { describedSchema } from './chart/describedValues.ts'
import { generatedPages, upToDate } from './generatedDocs.ts'

for (const path of generatedPages) writeFileSync(path, await upToDate(path))
writeFileSync('chart/values.schema.json', JSON.stringify(describedSchema()))
writeFileSync('docs/canary.schema.json', JSON.stringify(outputsSchema()))
