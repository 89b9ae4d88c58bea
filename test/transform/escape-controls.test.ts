import { expect, it } from 'vitest'
import { escapeControls } from '../../transform/escape-controls.js'

it('escapes each control and format character of Unicode but joiners, and leaves every other as it is', () => {
  const steers = /[\p{Cc}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/u
  const wrong: string[] = []
  for (let code = 0; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code)
    const escaped = escapeControls(character)
    if (steers.test(character) ? !/^(\\u[0-9a-f]{4}){1,2}$/.test(escaped) : escaped !== character)
      wrong.push(code.toString(16))
  }
  expect(wrong).toEqual([])
})
