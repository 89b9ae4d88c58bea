import { type ArrayDelta, create, type Delta, type ObjectDelta } from 'jsondiffpatch'
import { type AttributeValue, canonicalValue, type Item } from '../transform/attribute-value.js'
import { compareUtf8 } from '../transform/json.js'
import { readErased, readSealed } from '../transform/sealed-field.js'

/** One place where two images differ. A path segment is an attribute's name, or a list element's mark. */
export interface Difference {
  readonly kind: 'added' | 'removed' | 'changed' | 'moved'
  readonly path: readonly PathSegment[]
  readonly before?: AttributeValue
  readonly after?: AttributeValue
}

/**
 * `{ name }` inside a map; `{ element }` inside a list: `sku=C` where the element says what it is, else its position.
 */
export type PathSegment = { readonly name: string } | { readonly element: string }

/**
 * Where two images differ, in depth; null stands for no item. Elements of lists are matched by what they are, not by
 * place.
 */
export function differencesOf(before: Item | null, after: Item | null): readonly Difference[] {
  const right = toTree({ M: after ?? {} })
  const delta = differ.diff(toTree({ M: before ?? {} }), right)
  const differences = [...walkDelta(delta, [], right)]
  return differences.sort((a, b) => compareUtf8(attributeOf(a), attributeOf(b)))
}

/** The top-level attribute that a difference is in. */
function attributeOf({ path }: Difference): string {
  return (path[0] as { readonly name: string }).name
}

/** Aligning two lists takes their lengths multiplied; longer ones are compared as a whole. */
const MAX_ALIGNED = 2000

/**
 * What is compared: maps and lists as they are, everything else as canonical text. Names get a dot so that none is
 * special.
 */
type Tree = string | readonly Tree[] | { readonly [name: string]: Tree }

function toTree(value: AttributeValue): Tree {
  // a sealed value is one value, whatever stands for it
  if ('M' in value && readSealed(value) === undefined && readErased(value) === undefined)
    return Object.fromEntries(Object.entries(value.M).map(([name, inner]) => [`.${name}`, toTree(inner)]))
  const aligned = 'L' in value && value.L.length <= MAX_ALIGNED
  return aligned ? value.L.map(toTree) : canonicalValue(value, 'value', 'once')
}

function fromTree(tree: Tree): AttributeValue {
  if (typeof tree === 'string') return JSON.parse(tree) as AttributeValue
  if (isList(tree)) return { L: tree.map(fromTree) }
  return { M: Object.fromEntries(Object.entries(tree).map(([name, inner]) => [name.slice(1), fromTree(inner)])) }
}

function isList(tree: Tree): tree is readonly Tree[] {
  return Array.isArray(tree)
}

const differ = create({
  objectHash: value => markOf(value as Tree) ?? JSON.stringify(value),
  arrays: { detectMove: true },
})

/** Attributes by which people tell the elements of a list apart, best first. */
const IDENTIFYING = [/^\.id$/i, /^\.sku$/i, /[._]id$/i, /Id$/, /^\.key$/i, /^\.code$/i, /^\.name$/i]

/** `sku=C` for a map that has such an attribute. */
function markOf(tree: Tree): string | undefined {
  if (typeof tree === 'string' || isList(tree)) return undefined
  for (const pattern of IDENTIFYING) {
    const name = Object.keys(tree).find(candidate => pattern.test(candidate) && typeof tree[candidate] === 'string')
    if (name !== undefined) return `${name.slice(1)}=${Object.values(JSON.parse(tree[name] as string) as object)[0]}`
  }
  return undefined
}

/** What an element of a list is told apart by, as a path has it; undefined where that is its place alone. */
export function markOfElement(element: AttributeValue): string | undefined {
  return markOf(toTree(element))
}

/**
 * Walks a delta of jsondiffpatch ([new] added, [old, new] changed, [old, 0, 0] removed, anything else goes deeper)
 * beside the tree after the change, from which list elements get their marks.
 */
function* walkDelta(delta: Delta, path: readonly PathSegment[], after: Tree): Generator<Difference> {
  if (delta === undefined) return
  if (Array.isArray(delta)) yield { path, ...leafDifference(delta as readonly Tree[]) }
  else if ('_t' in delta) yield* walkList(delta as ArrayDelta, path, after as readonly Tree[])
  else {
    for (const [name, inner] of Object.entries(delta as ObjectDelta)) {
      yield* walkDelta(
        inner,
        [...path, { name: name.slice(1) }],
        (after as Readonly<Record<string, Tree>>)[name] as Tree,
      )
    }
  }
}

function leafDifference(delta: readonly Tree[]): Omit<Difference, 'path'> {
  const [first, second] = delta as readonly [Tree, Tree]
  if (delta.length === 1) return { kind: 'added', after: fromTree(first) }
  if (delta.length === 2) return { kind: 'changed', before: fromTree(first), after: fromTree(second) }
  return { kind: 'removed', before: fromTree(first) }
}

/** In a list's delta `3` is a place after the change, `_3` one before it; ["", 0, 3] moved the element to place 0. */
function* walkList(delta: ArrayDelta, path: readonly PathSegment[], after: readonly Tree[]): Generator<Difference> {
  for (const [index, inner] of Object.entries(delta) as [string, Delta | 'a'][]) {
    if (inner === 'a') continue
    const gone = index.startsWith('_') ? (inner as readonly [Tree, number, number]) : undefined
    const moved = gone?.[2] === 3
    const element = moved ? after[gone[1]] : gone ? gone[0] : after[Number(index)]
    const place = [...path, { element: markOf(element as Tree) ?? index.replace('_', '') }]
    if (moved) yield { kind: 'moved', path: place }
    else yield* walkDelta(inner, place, element as Tree)
  }
}
