import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { exampleAnswers } from '../../examples/orders/answers.js'

it('the example of each saved query answers what docs/queries.md says', async () => {
  const kept = readFileSync(new URL('../../examples/orders/answers.json', import.meta.url), 'utf8')
  expect(await exampleAnswers()).toEqual(JSON.parse(kept))
})
