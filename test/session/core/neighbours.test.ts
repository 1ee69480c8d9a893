/** Objects that lie one right behind the other: where one ends, another begins, and an address there is that of the other. */
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { addressof, c_int, c_longlong, c_ubyte, type Library, type Pointer } from 'zugbruecke'
import { makeDll } from '../../dlls/build.js'
import { dll, sessionSuite } from '../support.js'
import { arch, byref, POINTER, Structure } from '../types.js'

class Node extends Structure({ values: c_longlong.array(3) }) {
  declare next: Pointer<typeof Node> | null
  static {
    Node.define({ next: POINTER(Node) })
  }
}
class Span extends Structure({ begin: POINTER(c_ubyte), end: POINTER(c_ubyte), bytes: c_ubyte.array(16) }) {}

const test = sessionSuite('objects that are neighbours')
const path = makeDll(
  join(dirname(dll('numbers')), `neighbours-${arch}.dll`),
  `#include <stddef.h>
#define API __declspec(dllexport)
struct node { long long values[3]; struct node *next; };
static struct node *head, *tail;
API void append(struct node *node) {
  node->next = NULL;
  if (tail) tail->next = node;
  else head = node;
  tail = node;
}
API struct node *first(void) { return head; }
struct cursor { struct node *at; };
API void step(struct cursor *c) { c->at = c->at->next; }
struct span { unsigned char *begin, *end, bytes[16]; };
API void whole(struct span *s) { s->begin = s->bytes; s->end = s->bytes + sizeof s->bytes; }
API int length(struct span *s) { return (int)(s->end - s->begin); }
`,
)
let lib: Library
test.before(async ({ session }) => {
  lib = await session.cdll.LoadLibrary(path)
})

test('a pointer that a DLL lets lead from one to the next leads there', async () => {
  const append = lib.func('append', [POINTER(Node)], null)
  const nodes = Array.from({ length: 20 }, (_, i) => new Node({ values: [BigInt(i)] }))
  for (const node of nodes) await append(node)
  assert.ok(nodes.some((node, i) => i > 0 && addressof(node) - addressof(nodes[i - 1]) === BigInt(Node.size)))
  for (const [i, node] of nodes.entries())
    assert.is(node.next?.contents.values[0], i + 1 < nodes.length ? BigInt(i + 1) : undefined)
  class Cursor extends Structure({ at: POINTER(Node) }) {}
  const cursor = new Cursor({ at: nodes[0] })
  const step = lib.func('step', [POINTER(Cursor)], null)
  const seen: bigint[] = []
  for (; cursor.at; await step(byref(cursor))) seen.push(cursor.at.contents.values[0])
  assert.equal(
    seen,
    nodes.map((_, i) => BigInt(i)),
  )
})

test('one that leads to the end of its own object stays that address', async () => {
  const span = new Span()
  await lib.func('whole', [POINTER(Span)], null)(byref(span))
  assert.is((span.end?.address ?? 0n) - (span.begin?.address ?? 0n), 16n)
  assert.is(await lib.func('length', [POINTER(Span)], c_int)(byref(span)), 16)
  span.bytes[15] = 5
  assert.is(span.end?.at(-1), 5)
})

test.run()
