/** The shortest way to an item, for somebody who has a key in hand; of several tables one is chosen. */
export function ItemForm({ tables, id }: { readonly tables: readonly string[]; readonly id?: string }) {
  const [only, ...others] = tables
  return (
    <form method="get" action="/go" class="noprint" {...(id !== undefined && { id })}>
      {others.length === 0 ? (
        <input type="hidden" name="table" value={only ?? ''} />
      ) : (
        <label>
          table
          <select name="table">
            {tables.map(table => (
              <option value={table}>{table}</option>
            ))}
          </select>
        </label>
      )}
      <label>
        {others.length === 0 ? `one item of ${only}` : 'one item'}
        <input name="key" placeholder="its key" required autocomplete="off" spellcheck={false} />
      </label>
      <button type="submit">show its history</button>
    </form>
  )
}
