/** Figures that tests count and docs/reliability.md shows. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A table of docs/reliability.md. */
export interface Figures {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** Hands a section's figures to `npm run reliability`, which names the folder; does nothing in other runs. */
export function reportFigures(section: string, figures: Figures): void {
  const folder = process.env.ITEMTRAIL_FIGURES
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${section}.json`), JSON.stringify(figures))
}
