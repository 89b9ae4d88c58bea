import { diffArrays, diffWordsWithSpace } from 'diff'

/** A stretch of two texts: in both, only in the one before, or only in the one after. */
export interface TextPart {
  readonly kind: 'same' | 'removed' | 'added'
  readonly text: string
}

/** Edits up to which two texts are aligned: the work grows with their square, and more is another text. */
const MOST_EDITS = 600

/** Characters up to which what differs is aligned word by word at once. */
const MOST_BY_WORDS = 256 * 1024

/** Characters up to which it is aligned by clauses; two longer stretches are told as a whole. */
const MOST_BY_CLAUSES = 16 * 1024 * 1024

/** A line, or less of it, up to a sign that ends something in prose or in JSON. */
const CLAUSE = /[^\n,;.}\]]{0,400}[\n,;.}\]]|[^\n,;.}\]]{1,400}/g

/**
 * Where two texts differ, by words; where they are too long or too different for that by clauses, or as a whole. The
 * parts that are not `added` make the text before, those not `removed` the text after, to the last character.
 */
export function textDifference(before: string, after: string): readonly TextPart[] {
  const start = sharedStart(before, after)
  const end = sharedEnd(before.slice(start), after.slice(start))
  const [removed, added] = [before.slice(start, before.length - end), after.slice(start, after.length - end)]
  return merged([
    { kind: 'same', text: before.slice(0, start) },
    ...withoutIslands(middle(removed, added)),
    { kind: 'same', text: end === 0 ? '' : before.slice(-end) },
  ])
}

function middle(before: string, after: string): readonly TextPart[] {
  const size = before.length + after.length
  const whole: readonly TextPart[] = [
    { kind: 'removed', text: before },
    { kind: 'added', text: after },
  ]
  if (before === '' || after === '') return whole
  const limits = { maxEditLength: MOST_EDITS }
  if (size <= MOST_BY_WORDS) return partsOf(diffWordsWithSpace(before, after, limits)) ?? whole
  if (size > MOST_BY_CLAUSES) return whole
  const [old, now] = [clausesOf(before), clausesOf(after)]
  const found = diffArrays(old, now, limits)?.map(part => ({ ...part, value: part.value.join('') }))
  const parts = partsOf(found)
  return parts === undefined ? whole : pairsByWords(parts)
}

function clausesOf(text: string): string[] {
  return text.match(CLAUSE) ?? []
}

/** What differs in clauses once more: of a stretch that went and one that came in its place, the words. */
function pairsByWords(parts: readonly TextPart[]): readonly TextPart[] {
  const found: TextPart[] = []
  for (let i = 0; i < parts.length; i++) {
    const [part, next] = [parts[i] as TextPart, parts[i + 1]]
    const isPair = part.kind === 'removed' && next?.kind === 'added'
    if (isPair && part.text.length + next.text.length <= MOST_BY_WORDS) {
      found.push(...textDifference(part.text, next.text))
      i++
    } else found.push(part)
  }
  return found
}

type Found = readonly { readonly added?: boolean; readonly removed?: boolean; readonly value: string }[]

function partsOf(found: Found | undefined): readonly TextPart[] | undefined {
  return found?.map(({ added, removed, value }) => ({
    kind: added ? 'added' : removed ? 'removed' : 'same',
    text: value,
  }))
}

/** A space between two words that both changed is a part of what changed: it went, and came. */
function withoutIslands(parts: readonly TextPart[]): readonly TextPart[] {
  const found: TextPart[] = []
  let [removed, added] = ['', '']
  const flush = () => {
    found.push({ kind: 'removed', text: removed }, { kind: 'added', text: added })
    removed = ''
    added = ''
  }
  for (const [i, { kind, text }] of parts.entries()) {
    const isIsland = kind === 'same' && /^\s$/.test(text) && i > 0 && i < parts.length - 1
    if (kind !== 'added' && (kind === 'removed' || isIsland)) removed += text
    if (kind !== 'removed' && (kind === 'added' || isIsland)) added += text
    if (kind !== 'same' || isIsland) continue
    flush()
    found.push({ kind, text })
  }
  flush()
  return found
}

function merged(parts: readonly TextPart[]): readonly TextPart[] {
  const found: TextPart[] = []
  for (const part of parts) {
    const last = found.at(-1)
    if (part.text === '') continue
    if (last?.kind === part.kind) found[found.length - 1] = { ...last, text: last.text + part.text }
    else found.push(part)
  }
  return found
}

const WORD = /[\p{L}\p{N}\p{M}\p{Cs}_]/u

/** How many characters both begin with, back to the beginning of a word, so that words stay whole. */
function sharedStart(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  let n = 0
  while (n < most && a.charCodeAt(n) === b.charCodeAt(n)) n++
  if (n === most && a.length === b.length) return n
  for (let back = 0; n > 0 && back < LONGEST_WORD && isInWord(a, b, n); back++) n--
  return n > 0 && isLowSurrogate(a.charCodeAt(n)) ? n - 1 : n
}

/** A text without any spaces has no words, and is not walked back to its beginning. */
const LONGEST_WORD = 64

function isInWord(a: string, b: string, at: number): boolean {
  const joins = (text: string) => at < text.length && WORD.test(text[at] as string)
  return WORD.test(a[at - 1] as string) && (joins(a) || joins(b))
}

function sharedEnd(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  let n = 0
  while (n < most && a.charCodeAt(a.length - 1 - n) === b.charCodeAt(b.length - 1 - n)) n++
  const inWord = () => {
    const first = a[a.length - n]
    const before = (text: string) => text.length > n && WORD.test(text[text.length - 1 - n] as string)
    return first !== undefined && WORD.test(first) && (before(a) || before(b))
  }
  for (let back = 0; n > 0 && back < LONGEST_WORD && inWord(); back++) n--
  return n > 0 && isLowSurrogate(a.charCodeAt(a.length - n)) ? n - 1 : n
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}

/** Parts of which what both have is cut to the surroundings of what differs; `left` tells how much is left out. */
export type FoldedPart = TextPart | { readonly kind: 'left'; readonly characters: number }

/** The same with at most `around` characters beside each difference. */
export function foldParts(parts: readonly TextPart[], around: number): readonly FoldedPart[] {
  return parts.flatMap((part, i): readonly FoldedPart[] => {
    const { kind, text } = part
    const [head, tail] = [i === 0 ? 0 : around, i === parts.length - 1 ? 0 : around]
    if (kind !== 'same' || text.length <= head + tail + FOLD_FROM) return [part]
    const cutAt = isLowSurrogate(text.charCodeAt(head)) ? head + 1 : head
    const goesOn = text.length - tail
    const next = isLowSurrogate(text.charCodeAt(goesOn)) ? goesOn - 1 : goesOn
    return [
      ...(head === 0 ? [] : [{ kind, text: text.slice(0, cutAt) }]),
      { kind: 'left', characters: next - (head === 0 ? 0 : cutAt) } as const,
      ...(tail === 0 ? [] : [{ kind, text: text.slice(next) }]),
    ]
  })
}

/** Less than this is not worth a mark. */
const FOLD_FROM = 20
