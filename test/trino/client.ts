/** The part of Trino's client protocol that a test needs: run one statement, read all pages. */

interface Page {
  readonly nextUri?: string
  readonly columns?: readonly { readonly name: string; readonly type: string }[]
  readonly data?: readonly (readonly unknown[])[]
  readonly error?: { readonly errorName: string; readonly message: string }
  readonly stats: { readonly physicalInputBytes?: number }
}

/** An answer of Trino. */
export interface TrinoAnswer {
  readonly names: readonly string[]
  readonly types: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
  readonly physicalInputBytes: number
}

export class TrinoClient {
  constructor(
    readonly url: string,
    readonly schema: string,
  ) {}

  /** Runs a statement with text values for its `?`. Throws with Trino's error name and message. */
  async run(sql: string, values: readonly (string | number)[] = []): Promise<TrinoAnswer> {
    const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`
    const statement =
      values.length === 0
        ? sql
        : `execute immediate ${quoted(sql)} using ${values.map(value => (typeof value === 'number' ? String(value) : quoted(value))).join(', ')}`
    const headers = {
      'X-Trino-User': 'test',
      'X-Trino-Time-Zone': 'UTC',
      'X-Trino-Catalog': 'hive',
      'X-Trino-Schema': this.schema,
    }
    let response = await fetch(`${this.url}/v1/statement`, { method: 'POST', headers, body: statement })
    const rows: (readonly unknown[])[] = []
    let columns: Page['columns'] = []
    for (;;) {
      if (!response.ok) throw new Error(`Trino answered ${response.status}`)
      const page = JSON.parse(withExactIntegers(await response.text())) as Page
      if (page.error !== undefined) throw new Error(`${page.error.errorName}: ${page.error.message}`)
      columns = page.columns ?? columns
      rows.push(...(page.data ?? []))
      if (page.nextUri === undefined) {
        const { physicalInputBytes = 0 } = page.stats
        return {
          names: columns.map(column => column.name),
          types: columns.map(column => column.type),
          rows,
          physicalInputBytes,
        }
      }
      response = await fetch(page.nextUri, { headers })
    }
  }
}

/** JSON with each integer that a double cannot hold as a string. Strings are matched first, so nothing in them is. */
function withExactIntegers(json: string): string {
  return json.replaceAll(/"(?:[^"\\]+|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, token =>
    /^-?\d{16,}$/.test(token) ? `"${token}"` : token,
  )
}
