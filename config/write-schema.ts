// Writes docs/itemtrail.schema.json: npx tsx config/write-schema.ts
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { editorSchema } from './schema.js'

const path = 'docs/itemtrail.schema.json'
writeFileSync(path, JSON.stringify(editorSchema()))
execFileSync('npx', ['biome', 'format', '--write', path], { stdio: 'inherit' })
