/** Each key, and what can be clicked for the same. */
const KEYS: readonly (readonly [keys: readonly string[], does: string])[] = [
  [['j', 'k'], 'next and previous row; arrows do the same'],
  [['Enter'], 'opens the row'],
  [['Esc'], 'goes back'],
  [['/'], 'goes to the filters'],
  [['[', ']'], 'earlier and later change of the item'],
  [['x'], 'picks a row to compare, as the circle beside its id does; two at most'],
  [['d'], 'compares the two that are picked'],
  [['t'], 'UTC, local time, another zone'],
  [['r'], 'raw DynamoDB JSON, or plain'],
  [['w'], 'only what changed, or the whole item'],
  [['y'], 'copies the link'],
  [['c'], 'copies the command'],
  [['p'], 'prints'],
  [['?'], 'shows this'],
]

/** The help that `?` shows. */
export function Keys() {
  return (
    <dialog id="keys" aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <table>
        <caption>each has a control on the page that does the same</caption>
        <thead>
          <tr>
            <th scope="col">key</th>
            <th scope="col">what it does</th>
          </tr>
        </thead>
        <tbody>
          {KEYS.map(([keys, does]) => (
            <tr>
              <th scope="row">
                {keys.map(key => (
                  <>
                    <kbd>{key}</kbd>{' '}
                  </>
                ))}
              </th>
              <td>{does}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <form method="dialog">
        <button type="submit">close</button>
      </form>
    </dialog>
  )
}
