import { defineConfig } from 'vitepress'

/** The name of a heading in an address, as GitHub makes it, so that a link holds in both places. */
function slugify(heading) {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-')
}

const page = (text, link) => ({ text, link })
const docs = (text, name) => page(text, `/docs/${name}`)

export default defineConfig({
  title: 'Itemtrail',
  description:
    'An audit archive for DynamoDB: every change of a table as a row that can be queried, replayed and checked',
  srcDir: 'pages',
  rewrites: { 'README.md': 'index.md' },
  cleanUrls: true,
  lastUpdated: false,
  // what stands between angle brackets in the documents is meant as it is
  markdown: { html: false, anchor: { slugify } },
  themeConfig: {
    search: { provider: 'local' },
    outline: 'deep',
    sidebar: [
      {
        text: 'Guides',
        items: [
          docs("An auditor's first hour", 'guides/auditor'),
          docs('Coming from QLDB', 'guides/from-qldb'),
          docs('Coming from CloudTrail Lake', 'guides/from-cloudtrail-lake'),
          docs('From PITR exports', 'guides/from-pitr-exports'),
        ],
      },
      {
        text: 'Using it',
        items: [
          page('Begin', '/'),
          docs('Asking', 'asking'),
          docs('Saved questions', 'queries'),
          docs('The page', 'view'),
          docs('Live tables', 'live-tables'),
          docs('The library', 'library'),
          docs('Configuration', 'configuration'),
          docs('Compaction', 'compaction'),
        ],
      },
      {
        text: 'Believing it',
        items: [
          docs('Evidence', 'evidence'),
          docs('Receipts', 'receipts'),
          docs('Erasure', 'erasure'),
          docs('Regulations', 'regulations'),
          docs('Limits', 'limits'),
          docs('Reliability', 'reliability'),
          docs('Benchmarks', 'benchmarks'),
          page('Security', '/SECURITY'),
        ],
      },
      {
        text: 'Running it',
        items: [
          docs('Deploy', 'deploy'),
          docs('Plan', 'plan'),
          docs('At scale', 'scale'),
          docs('Cost', 'cost'),
          docs('Runbook', 'runbook'),
          docs('Redrive', 'redrive'),
        ],
      },
      {
        text: 'Contracts',
        items: [
          docs('The archive as files', 'archive-format'),
          docs('Answers in JSON', 'cli-json'),
          page('Changes', '/CHANGELOG'),
          page('Architecture', '/ARCHITECTURE'),
          page('Contributing', '/CONTRIBUTING'),
        ],
      },
    ],
  },
})
