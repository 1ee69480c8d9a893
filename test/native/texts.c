/* Texts are taken when the routine returns: in the room, beyond it, out of structures, from bad pointers, in calls and batches. */
#include "node.h"

static char kept[400];
static wchar_t kept_wide[400];
static const char *number(int32_t v) {
  sprintf(kept, "n%d", (int)v);
  return kept;
}
static const wchar_t *wide(int32_t v) {
  for (int i = 0; i < v; i++) kept_wide[i] = (wchar_t)(L'a' + i % 26);
  kept_wide[v] = 0;
  return kept_wide;
}
static const char *of_length(int32_t v) {
  memset(kept, 'x', (size_t)v), kept[v] = 0;
  return kept;
}
static const char *wild(int32_t v) { return v % 3 == 0 ? "good" : v % 3 == 1 ? NULL : (const char *)(ULONG_PTR)0x123; }
static const char *last(int32_t v) {
  SetLastError((DWORD)v);
  return v < 0 ? (const char *)(ULONG_PTR)0x123 : "said";
}
struct three {
  const char *first;
  int32_t value;
  const wchar_t *second;
};
static void three(struct three *out, int32_t v) {
  out->first = number(v), out->value = v, out->second = v % 2 ? (const wchar_t *)(ULONG_PTR)0x456 : wide(3);
}
static int32_t out_text(const char **out, int32_t v) {
  *out = wild(v);
  return v;
}

enum { RESULT = -1 };
#define NULL_TEXT 0u

static const uint32_t *record(const struct answer *a, uint32_t index) {
  return (const uint32_t *)(ULONG_PTR)(a->texts + TEXTS_RECORDS + TEXTS_RECORD_SIZE * index);
}
static int says(const struct answer *a, uint32_t index, const void *text, uint32_t length) {
  const uint32_t *r = record(a, index), size = *(uint32_t *)(ULONG_PTR)(a->texts + TEXTS_SIZE);
  return r[0] && r[0] != TEXTS_UNREADABLE && r[1] == length && r[0] + r[1] <= size &&
         !memcmp((void *)(ULONG_PTR)(a->texts + r[0]), text, length);
}
static int in_room(const struct answer *a) { return a->texts == ADDRESS(text_room); }

static void calls(void) {
  struct three out;
  struct answer a = CALL(70, 12345);
  check(a.status == 0 && a.result == ADDRESS(kept) && in_room(&a) && says(&a, 0, "n12345", 6), "a text result");
  a = CALL(71, 5);
  check(a.status == 0 && says(&a, 0, L"abcde", 10), "a wide one");
  a = CALL(72, 0);
  check(a.status == 0 && record(&a, 0)[0] && record(&a, 0)[1] == 0, "an empty one");
  a = CALL(73, 1);
  check(a.status == 0 && record(&a, 0)[0] == NULL_TEXT, "NULL");
  a = CALL(73, 2);
  check(a.status == 1 && a.code == 0xC0000005 && a.result == 0x123 && !a.texts, "a bad pointer");
  a = CALL(73, 0);
  check(a.status == 0 && says(&a, 0, "good", 4), "and the next call");
  a = CALL(74, (uint64_t)-5);
  check(a.status == 1 && a.last_error == (uint32_t)-5, "the last error of a routine with a bad text");
  a = CALL(74, 77);
  check(a.status == 0 && a.last_error == 77, "and of one with a good text");

  a = CALL(72, 300);
  int beyond = a.status == 0 && !in_room(&a) && record(&a, 0)[1] == 300;
  check(beyond && says(&a, 0, kept, 300), "a text beyond the room");
  check(zb_free_texts(a.texts) == ZB_OK && zb_free_texts(a.texts) == ZB_BAD_NUMBER && zb_free_texts(4) == ZB_BAD_NUMBER,
        "is freed once");
  a = CALL(72, 116);
  check(in_room(&a), "one that just fits");
  text_room_size = 0, text_room = NULL;
  a = CALL(70, 9);
  check(a.status == 0 && a.texts && says(&a, 0, "n9", 2) && zb_free_texts(a.texts) == ZB_OK, "no room at all");
  text_room = segment + 0x40, text_room_size = 128;
  a = CALL(70, 9);
  check(a.status == 2 && a.code == REFUSED_MALFORMED, "room in the control block");
  text_room = arena(0x100000), text_room_size = 128;

  a = CALL(75, ADDRESS(&out), 8);
  check(a.status == 0 && says(&a, 0, "n8", 2) && says(&a, 1, L"abc", 6), "texts in a structure");
  a = CALL(75, ADDRESS(&out), 9);
  check(a.status == 0 && says(&a, 0, "n9", 2) && record(&a, 1)[0] == TEXTS_UNREADABLE, "one of them is none");
  const char *cell;
  a = CALL(76, ADDRESS(&cell), 3);
  check(a.status == 0 && a.result == 3 && says(&a, 0, "good", 4), "an out parameter");
  a = CALL(76, ADDRESS(&cell), 5);
  check(a.status == 1 && a.code == 0xC0000005 && a.result == 0x123, "a bad pointer in one");
}

enum { ROWS = 300 };
static void batches(void) {
  struct failure *failures = (void *)arena(0x20000);
  int32_t *a = (void *)arena(0);
  struct three *outs = (void *)arena(0x30000);
  char expected[32];
  int good = 1;
  for (int i = 0; i < ROWS; i++) a[i] = i;
  struct batch batch = {70, 0, ROWS, 0, NULL, failures, NULL, ROWS, 'v', 1, {{a, 4, 'i'}}};
  text_room_size = 64 * 1024;
  struct answer r = run_batch(&batch);
  for (uint32_t i = 0; i < ROWS; i++) good &= says(&r, i, expected, (uint32_t)sprintf(expected, "n%u", i));
  check(r.status == 0 && r.result == ROWS && in_room(&r) && good, "each row its text");
  text_room_size = 3000;
  r = run_batch(&batch), good = 1;
  for (uint32_t i = 0; i < ROWS; i++) good &= says(&r, i, expected, (uint32_t)sprintf(expected, "n%u", i));
  check(r.status == 0 && r.result == ROWS && !in_room(&r) && good && zb_free_texts(r.texts) == ZB_OK, "also beyond the room");

  text_room_size = 64 * 1024, batch.routine = 73;
  r = run_batch(&batch), good = 1;
  for (uint32_t i = 0; i < ROWS; i++) good &= i % 3 ? record(&r, i)[0] == NULL_TEXT : says(&r, i, "good", 4);
  for (uint32_t i = 0; i < r.code; i++)
    good &= failures[i].row == 3 * i + 2 && failures[i].code == 0xC0000005 && failures[i].address == 0x123;
  check(r.status == 0 && r.result == ROWS && r.code == ROWS / 3 && good, "bad pointers are failures of their rows");

  struct batch structures = {75, 0, ROWS, 0, NULL, failures, NULL, ROWS, 'v', 2, {{outs, sizeof *outs, '&'}, {a, 4, 'i'}}};
  r = run_batch(&structures), good = 1;
  for (uint32_t i = 0; i < ROWS; i++) {
    good &= outs[i].value == (int32_t)i && says(&r, 2 * i, expected, (uint32_t)sprintf(expected, "n%u", i));
    good &= i % 2 ? record(&r, 2 * i + 1)[0] == TEXTS_UNREADABLE : says(&r, 2 * i + 1, L"abc", 6);
  }
  check(r.status == 0 && r.result == ROWS && r.code == 0 && good, "texts in the structures of rows");
}

void test_texts(void) {
  const int64_t narrow[] = {RESULT, 0, 0}, wide_one[] = {RESULT, 0, TEXT_WIDE}, of_out[] = {0, 0, 0},
                of_three[] = {0, offsetof(struct three, first),  TEXT_IN_STRUCTURE,
                              0, offsetof(struct three, second), TEXT_IN_STRUCTURE | TEXT_WIDE};
  zb_routine(70, ADDRESS(number), 0, 0, "i", 'p'), zb_texts(70, narrow, 1);
  zb_routine(71, ADDRESS(wide), 0, 0, "i", 'p'), zb_texts(71, wide_one, 1);
  zb_routine(72, ADDRESS(of_length), 0, 0, "i", 'p'), zb_texts(72, narrow, 1);
  zb_routine(73, ADDRESS(wild), 0, 0, "i", 'p'), zb_texts(73, narrow, 1);
  zb_routine(74, ADDRESS(last), 0, ROUTINE_LAST_ERROR, "i", 'p'), zb_texts(74, narrow, 1);
  zb_routine(75, ADDRESS(three), 0, 0, "pi", 'v'), zb_texts(75, of_three, 2);
  zb_routine(76, ADDRESS(out_text), 0, 0, "pi", 'i');
  check(zb_texts(76, of_out, 1) == ZB_OK, "an out parameter is declared");
  const int64_t bad[] = {2, 0, 0, -2, 0, 0, 0, -1, 0, RESULT, 12, 0, 0, 0, 4};
  for (int i = 0; i < 15; i += 3) check(zb_texts(76, bad + i, 1) == ZB_BAD_SIGNATURE, "a text nowhere");
  check(zb_texts(77, narrow, 1) == ZB_BAD_NUMBER, "of no routine");
  text_room = arena(0x100000), text_room_size = 128;
  calls();
  batches();
  text_room = NULL, text_room_size = 0;
}
