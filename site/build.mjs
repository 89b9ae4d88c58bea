// The documents as a site that can be searched, from the very Markdown that lies in `docs/`. A dead link, and one to a
// heading that is not there, ends it with 1.
// Usage: npm ci --prefix site && npm run build --prefix site; the site is then site/.vitepress/dist.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, createMarkdownRenderer } from 'vitepress'
import config from './.vitepress/config.mjs'

const site = dirname(fileURLToPath(import.meta.url))
const root = dirname(site)
const pages = join(site, 'pages')
const output = join(site, '.vitepress/dist')

rmSync(pages, { recursive: true, force: true })
mkdirSync(pages)
for (const name of ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs'])
  cpSync(join(root, name), join(pages, name), { recursive: true })
cpSync(join(root, 'LICENSE'), join(pages, 'LICENSE.md'))

checkSidebar()
await checkHeadings()
rmSync(output, { recursive: true, force: true })
await build(site)
console.log(`${readdirSync(output, { recursive: true }).filter(name => name.endsWith('.html')).length} pages`)

/** A document that nobody finds may as well not be there. Decisions are linked by what they decide. */
function checkSidebar() {
  const listed = new Set(config.themeConfig.sidebar.flatMap(({ items }) => items.map(({ link }) => link)))
  const names = ['', 'guides'].flatMap(folder =>
    readdirSync(join(root, 'docs', folder)).map(name => posix.join(folder, name)),
  )
  const missing = names.filter(name => name.endsWith('.md') && !listed.has(`/docs/${name.slice(0, -3)}`))
  if (missing.length === 0) return
  console.error(`documents that the sidebar of site/.vitepress/config.mjs lacks: ${missing.join(', ')}`)
  process.exit(1)
}

/** VitePress finds links to pages that are not there, and none to headings that are not. */
async function checkHeadings() {
  const markdown = await createMarkdownRenderer(pages, config.markdown)
  const names = readdirSync(pages, { recursive: true }).filter(name => name.endsWith('.md'))
  const texts = new Map(names.map(name => [name, readFileSync(join(pages, name), 'utf8')]))
  const idsOf = html => new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))
  const ids = new Map(
    [...texts].map(([name, text]) => [name, idsOf(markdown.render(text, { path: join(pages, name) }))]),
  )
  const dead = [...texts].flatMap(([name, text]) =>
    linksOf(text).flatMap(([page, id]) => {
      const target = page === '' ? name : posix.normalize(posix.join(posix.dirname(name), page))
      return ids.get(target)?.has(decodeURIComponent(id)) ? [] : [`${name}: ${page}#${id}`]
    }),
  )
  if (dead.length === 0) return
  console.error(`links to headings that are not there:\n${dead.join('\n')}`)
  process.exit(1)
}

/** What a document links to by a heading: the page, empty for itself, and the heading. */
function linksOf(text) {
  return [...text.matchAll(/\]\(([^():#]*)#([^()]+)\)/g)].map(([, page, id]) => [page, id])
}
