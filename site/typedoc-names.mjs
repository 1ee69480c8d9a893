// Docstrings for what is a list of names made by a function: the type `Types`, and the entry points `zugbruecke/win32` (each name is that of the package
// itself) and `zugbruecke/wintypes` (what a name of Windows stands for is asked of the built package).
import { Comment, Converter, ReflectionKind } from 'typedoc'
import { sizeof } from '../dist/src/index.js'
import * as wintypes from '../dist/src/wintypes.js'

const text = {
  Types: name => `As \`${name}\` of the package itself, in the layout of this namespace's architecture.`,
  win32: name => `As \`${name}\` of the package itself, with the layouts of 32-bit Windows.`,
  wintypes(name, kind) {
    if (kind === ReflectionKind.TypeAlias) return `An object of \`${name}\`.`
    const type = wintypes[name]
    if (typeof type === 'number') return `The constant ${type} of the headers of Windows.`
    if (name === 'RGB') return 'Packs the bytes of a colour, red, green and blue, as `COLORREF` has them.'
    const same = type.name && type.name !== name ? `, the same as \`${type.name}\`` : ''
    return `\`${name}\` of the headers of Windows: ${sizeof(type)} bytes${same}.`
  },
}

export function load(app) {
  const kinds = ReflectionKind.Variable | ReflectionKind.TypeAlias | ReflectionKind.Property
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, context => {
    for (const list of context.project.getReflectionsByKind(ReflectionKind.Module | ReflectionKind.Interface))
      if (Object.hasOwn(text, list.name))
        for (const child of list.children ?? [])
          if (child.kind & kinds && !child.comment)
            child.comment = new Comment([{ kind: 'text', text: text[list.name](child.name, child.kind) }])
  })
}
