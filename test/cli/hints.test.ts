/** Lines as people type them wrongly, each with a hint that names what is right. */
import { beforeAll, describe, expect, it } from 'vitest'
import { change } from '../queries/story.js'
import { archiveOf, run } from './command-line.js'

const PAID = { status: { S: 'PAID' } }
let root: string
let event: string
beforeAll(async () => {
  root = await archiveOf([change('ORD12345', '20T10:00:00', undefined, PAID)])
  const { out } = await run(['history', 'Orders', 'ORD12345', '--archive', root, '--format', 'json'])
  event = (JSON.parse(out) as { changes: { event_id: string }[] }).changes[0]?.event_id.slice(0, 8) as string
})

/** `EVENT` stands for an id that the archive has. */
const WRONG: readonly (readonly [line: string, hint: string])[] = [
  // the id of a change where a key is wanted, and the other way round
  ['history Orders EVENT', 'is a change of ORD12345: itemtrail show Orders EVENT'],
  ['as-of Orders EVENT now', 'is a change of ORD12345: itemtrail show Orders EVENT'],
  ['diff Orders EVENT --from 2026-11-20', 'itemtrail show Orders EVENT'],
  ['show ORD12345', 'itemtrail history TABLE "ORD12345"'],
  ['show Orders ORD12345', 'itemtrail history Orders "ORD12345"'],
  ['diff Orders EVENT ORD12345', 'itemtrail history Orders "ORD12345"'],
  // what belongs elsewhere in the line
  ['history ORD12345 Orders', 'the table comes first: Orders "ORD12345"'],
  ['as-of ORD12345 Orders now', 'the table comes first: Orders "ORD12345"'],
  ['diff ORD12345 Orders --from 2026-11-20', 'the table comes first: Orders "ORD12345"'],
  ['items ORD1 Orders', 'the table comes first: Orders "ORD1"'],
  ['find PAID orders', 'the table comes first: orders "PAID"'],
  [
    'as-of Orders 2026-11-20T12:00:00Z ORD12345',
    'did you mean: itemtrail as-of Orders "ORD12345" 2026-11-20T12:00:00Z',
  ],
  ['query Orders deletions', 'did you mean: itemtrail query deletions Orders'],
  ['history ORD12345', 'it is used as: itemtrail history <table> <key>'],
  ['find Orders', 'it is used as: itemtrail find <table> <value>'],
  ['query', 'it is used as: itemtrail query <name> [table]'],
  ['sql select 1', 'a statement stands in quotes'],
  ['find Orders NEW YORK', 'a key or a value with blanks stands in quotes'],
  ['query deletions Orders form=2026-11-20', 'did you mean from=...?'],
  ['query changes-by-actor Orders alice bob carol dave', 'query changes-by-actor has only actor=..., from=..., to=...'],
  // names that are nearly right
  ['history Order ORD12345', 'did you mean Orders?'],
  ['items odrers', 'did you mean Orders?'],
  ['history Orders ORD12346', 'did you mean ORD12345?'],
  ['query deletion Orders', 'did you mean deletions?'],
  ['query blam Orders', 'did you mean blame?'],
  ['query delet Orders', 'itemtrail queries delet finds'],
  ['query anomaly Orders', 'itemtrail queries lists them'],
  ['queries hot-itms', 'did you mean hot-items?'],
  ['histroy Orders ORD12345', 'did you mean history?'],
  ['qurey deletions Orders', 'did you mean query?'],
  ['history Orders ORD12345 --fromat json', 'did you mean --format?'],
  ['history Orders ORD12345 --fro 2026-11-20', 'did you mean --from?'],
  // options of others, and of a question that has none
  ['query continuity Orders --from 2026-11-20', 'query continuity has only to=...'],
  ['query item-as-of Orders ORD12345 --to 2026-11-20', 'query item-as-of has only item_key=..., at=...'],
  ['query hot-items Orders --limit 5', 'a parameter is typed as limit=...'],
  ['query item-history Orders --item-key A', 'a parameter is typed as item_key=...'],
  ['query continuity Orders --actor alice', 'query continuity has only to=...'],
  ['query changes-between Orders --attribute status', 'query changes-between has only from=..., to=...'],
  ['query deletions Orders --param form=2026-11-20', 'this query has from, to'],
  ['query deletions Orders --param 2026-11-20', 'itemtrail query deletions --help tells its parameters'],
  ['history Orders ORD12345 --limit 5', '-n 5 shows the newest five'],
  ['history Orders ORD12345 --at now', 'itemtrail as-of TABLE KEY INSTANT'],
  ['history Orders ORD12345 --since yesterday', '--from shows changes from a moment on'],
  ['history Orders ORD12345 --author alice', '--actor shows what one writer did'],
  ['as-of Orders ORD12345 --at now', 'the instant is typed last'],
  ['items Orders -n 5', '--limit 5 lists the first five'],
  ['items Orders --prefix ORD', 'itemtrail items TABLE PREFIX'],
  ['find Orders PAID --path status', '--attribute narrows by a path'],
  ['sql --file x.sql', '-f FILE reads the statement from a file'],
  // words of other programs
  ['log Orders ORD12345', 'did you mean history?'],
  ['ls Orders', 'did you mean items?'],
  ['grep Orders PAID', 'did you mean find?'],
  ['undo Orders', 'did you mean restore?'],
  ['deletions Orders', 'did you mean: itemtrail query deletions TABLE'],
  ['export Orders', 'itemtrail --help lists the commands'],
  // formats and moments
  ['history Orders ORD12345 --format jsonl', 'did you mean ndjson?'],
  ['history Orders ORD12345 --format jsn', 'did you mean json?'],
  ['as-of Orders ORD12345 2026-11-20T12:00', 'such as 2026-11-20T12:00Z'],
  ['completion powershell', 'expected bash, zsh, fish'],
  ['items Orders --limit none', 'expected a whole number from 1'],
]

describe('a line that is wrong', () => {
  it('has at least fifty kinds', () => expect(WRONG.length).toBeGreaterThanOrEqual(50))

  it.each(WRONG)('%s: %s', async (line, hint) => {
    const argv = line.replaceAll('EVENT', event).split(' ')
    const place =
      /^(quer(y|ies)|qurey|completion|queries)$/.test(argv[0] as string) && argv.length < 3 ? [] : ['--archive', root]
    const { exit, out, err } = await run([...argv, ...place])
    expect([exit === 0, out]).toEqual([false, ''])
    expect(err).toContain(hint.replaceAll('EVENT', event))
  })
})
