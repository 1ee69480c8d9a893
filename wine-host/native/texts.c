/* Texts that a routine leaves: taken at the moment it returns, for the next call may write over them (docs/wire.md, "Texts"). They
 * are gathered in the room that the request brought, and go on in memory of our own where that does not do. */
#include "internal.h"

/* No text is so long; one without an end reaches unmapped memory long before. */
enum { LONGEST = 0x40000000 };

/* What stands in front of texts that lie in the bridge's own memory. */
struct own {
  struct own *next;
  uint64_t unused;
};
static struct own *given;
static SRWLOCK lock = SRWLOCK_INIT;

/* To be called when the number becomes another routine's. */
void zb_forget_texts(struct zb_entry *entry) {
  void *list = InterlockedExchangePointer((PVOID volatile *)&entry->texts, NULL);
  if (list) HeapFree(GetProcessHeap(), 0, list);
}

ZB_API int32_t zb_texts(uint32_t number, const int64_t *numbers, uint32_t count) {
  struct zb_entry *entry = zb_find_routine(number);
  struct zb_text_list *list;
  if (!entry || zb_load(&entry->state) != ENTRY_READY) return ZB_BAD_NUMBER;
  if (!count) return ZB_OK;
  list = HeapAlloc(GetProcessHeap(), 0, sizeof *list + (size_t)count * sizeof list->texts[0]);
  if (!list) return ZB_NO_MEMORY;
  list->count = count;
  for (uint32_t i = 0; i < count; i++, numbers += 3) {
    if (numbers[0] < -1 || numbers[0] >= (int64_t)entry->layout->count || numbers[1] < 0 || numbers[1] > 0x7FFFFFFF ||
        (numbers[0] < 0 && numbers[1] + sizeof(void *) > sizeof(uint64_t)) || numbers[2] & ~3) {
      HeapFree(GetProcessHeap(), 0, list);
      return ZB_BAD_SIGNATURE;
    }
    list->texts[i] = (struct zb_text){(int32_t)numbers[0], (uint32_t)numbers[1], (uint32_t)numbers[2]};
  }
  zb_forget_texts(entry);
  entry->texts = list;
  return ZB_OK;
}

static struct own *own_of(const struct zb_texts *texts) { return (struct own *)(void *)texts->at - 1; }

void zb_drop_texts(struct zb_texts *texts) {
  if (texts->own) VirtualFree(own_of(texts), 0, MEM_RELEASE);
  texts->own = 0;
}

/* Moves the texts so far to the bridge's own memory, with room for `more` bytes; 0 if there is none. */
static int grow(struct zb_texts *texts, uint64_t more) {
  uint64_t size = texts->used + more, better = 2 * (uint64_t)texts->size;
  DWORD error = GetLastError();
  struct own *fresh = NULL;
  if (size <= LONGEST)
    fresh = VirtualAlloc(NULL, (SIZE_T)((size > better ? size : better) + sizeof *fresh), MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
  SetLastError(error);
  if (!fresh) return 0;
  memcpy(fresh + 1, texts->at, texts->used);
  zb_drop_texts(texts);
  texts->at = (uint8_t *)(fresh + 1);
  texts->size = (uint32_t)(size > better ? size : better);
  texts->own = 1;
  return 1;
}

/* Prepares for the texts of `rows` rows. 0: the room is no memory; -1: there is no memory. */
int zb_begin_texts(struct zb_texts *texts, const struct zb_text_list *list, uint32_t rows, uint64_t room, uint32_t size) {
  uint64_t head = TEXTS_RECORDS + (uint64_t)TEXTS_RECORD_SIZE * rows * list->count;
  memset(texts, 0, sizeof *texts);
  texts->list = list;
  if (size && !zb_reachable(room, size, 1)) return 0;
  texts->at = (uint8_t *)(ULONG_PTR)room;
  texts->size = size;
  if (head > size && !grow(texts, head)) return -1;
  texts->used = (uint32_t)head;
  memset(texts->at, 0, (size_t)head);
  return 1;
}

static void put_record(struct zb_texts *texts, uint32_t row, uint32_t index, uint32_t offset, uint32_t length) {
  uint32_t record[2] = {offset, length};
  memcpy(texts->at + TEXTS_RECORDS + TEXTS_RECORD_SIZE * ((size_t)row * texts->list->count + index), record, sizeof record);
}

/* In bytes, without the zero. */
static uint32_t length_of(const uint8_t *text, int wide) {
  uint32_t length = 0;
  if (wide)
    while (length < LONGEST && (text[length] | text[length + 1])) length += 2;
  else
    while (length < LONGEST && text[length]) length++;
  return length;
}

static void take(struct zb_texts *texts, uint32_t row, uint32_t index, const uint64_t *arguments) {
  const struct zb_text *where = &texts->list->texts[index];
  const uint8_t *cell = where->source < 0 ? (const uint8_t *)&texts->result : (const uint8_t *)(ULONG_PTR)arguments[where->source];
  int wide = where->form & TEXT_WIDE;
  const uint8_t *text;
  uint32_t length, start;
  memcpy(&text, cell + where->offset, sizeof text);
  if (!text) return;
  length = length_of(text, wide);
  start = texts->used + (wide ? texts->used & 1 : 0);
  if ((uint64_t)start + length > texts->size && !grow(texts, (uint64_t)length + 1)) {
    texts->full = 1;
    return;
  }
  memcpy(texts->at + start, text, length); /* another thread may have changed the text meanwhile: these bytes were there */
  put_record(texts, row, index, start, length);
  texts->used = start + length;
}

/* Takes all texts of a row, whose result is in texts->result. Runs under a guard; called again, it goes on at the
 * text after the one at which it was ended. */
void zb_take_texts(struct zb_texts *texts, uint32_t row, const uint64_t *arguments) {
  for (; texts->next < texts->list->count && !texts->full; texts->next++) take(texts, row, texts->next, arguments);
  texts->next = 0;
  texts->returned = 0;
}

/* To be called when an exception ended the row. 1: it was met at a text in a structure, which may be uninitialized,
 * and the other texts can be taken. 0: the row has failed, and has no texts. */
int zb_pass_text(struct zb_texts *texts, uint32_t row) {
  if (texts->returned && texts->list->texts[texts->next].form & TEXT_IN_STRUCTURE) {
    put_record(texts, row, texts->next, TEXTS_UNREADABLE, 0);
    texts->next++;
    return 1;
  }
  for (uint32_t i = 0; i < texts->list->count; i++) put_record(texts, row, i, 0, 0);
  texts->next = 0;
  texts->returned = 0;
  return 0;
}

/* Ends the collection: address of the texts. Those in the bridge's own memory stay until Node has them freed. */
uint64_t zb_end_texts(struct zb_texts *texts) {
  uint32_t size = texts->used;
  memcpy(texts->at + TEXTS_SIZE, &size, sizeof size);
  if (texts->own) {
    AcquireSRWLockExclusive(&lock);
    own_of(texts)->next = given;
    given = own_of(texts);
    ReleaseSRWLockExclusive(&lock);
  }
  return (uint64_t)(ULONG_PTR)texts->at;
}

ZB_API int32_t zb_free_texts(uint64_t address) {
  struct own **link = &given, *found;
  AcquireSRWLockExclusive(&lock);
  while (*link && (uint64_t)(ULONG_PTR)(*link + 1) != address) link = &(*link)->next;
  found = *link;
  if (found) *link = found->next;
  ReleaseSRWLockExclusive(&lock);
  if (!found) return ZB_BAD_NUMBER;
  VirtualFree(found, 0, MEM_RELEASE);
  return ZB_OK;
}
