import type { TextFormat } from '../output-format.js'

/** Pages for people at a terminal, with how sure they are and what to do next. */
export const FOR_PEOPLE: TextFormat = {
  name: 'table',
  of: 'anything',
  print: async (surface, io) => {
    await surface.page(io)
    surface.advice?.(io)
  },
  tell: io => ({
    members: () => {},
    list: () => {},
    piece: (_, page) => page(),
    page: print => print(),
    part: print => print(io),
    summary: print => print(io),
    end: () => {},
  }),
}
