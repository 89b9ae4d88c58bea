/** What of a browser's document the tests ask: the types of all of it would be everywhere in this project. */
export interface PageElement {
  readonly textContent: string | null
  readonly outerHTML: string
  readonly scrollWidth: number
  readonly clientWidth: number
  readonly lang: string
  getAttribute(name: string): string | null
  closest(selector: string): PageElement | null
  querySelector(selector: string): PageElement | null
  querySelectorAll(selector: string): Iterable<PageElement>
  getBoundingClientRect(): { readonly right: number }
}

/** A text of a document, and what it stands in. */
export interface PageText {
  readonly textContent: string | null
  readonly parentElement: PageElement | null
}

export interface PageDocument extends PageElement {
  readonly title: string
  readonly body: PageElement
  readonly documentElement: PageElement
  readonly activeElement: PageElement | null
  /** `what` 4 is texts. */
  createTreeWalker(root: PageElement | null, what: number): { nextNode(): PageText | null }
}
