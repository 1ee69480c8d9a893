/* Windows that nobody sees: a helper window with a thread of its own, timers, device contexts, the clipboard, a message box. */
#include <windows.h>
#define API __declspec(dllexport)

typedef LRESULT (*handler)(HWND window, UINT message, WPARAM wide, LPARAM narrow);

static handler heard;
static HWND helper;
static HANDLE thread, ready;
static volatile LONG ticks;

static LRESULT CALLBACK procedure(HWND window, UINT message, WPARAM wide, LPARAM narrow) {
  switch (message) {
    case WM_TIMER: InterlockedIncrement(&ticks); return 0;
    case WM_APP: return (LRESULT)(wide * 2 + narrow);
    case WM_APP + 1: return heard ? heard(window, message, wide, narrow) : -1;
    case WM_CLOSE: DestroyWindow(window); return 0;
    case WM_DESTROY: PostQuitMessage(0); return 0;
  }
  return DefWindowProcW(window, message, wide, narrow);
}

static DWORD WINAPI serve(LPVOID nothing) {
  WNDCLASSW class = {.lpfnWndProc = procedure, .hInstance = GetModuleHandleW(NULL), .lpszClassName = L"helper of a driver"};
  MSG message;
  (void)nothing;
  RegisterClassW(&class);
  helper = CreateWindowExW(0, class.lpszClassName, L"nobody sees it", WS_OVERLAPPEDWINDOW, 0, 0, 320, 200, NULL, NULL,
                           class.hInstance, NULL);
  if (helper) SetTimer(helper, 1, 10, NULL);
  SetEvent(ready);
  while (helper && GetMessageW(&message, NULL, 0, 0) > 0) DispatchMessageW(&message);
  UnregisterClassW(class.lpszClassName, class.hInstance);
  return 0;
}

/* As a driver does it: a window of its own thread, to which others send. */
API HWND begin(void) {
  ready = CreateEventW(NULL, FALSE, FALSE, NULL);
  thread = CreateThread(NULL, 0, serve, NULL, 0, NULL);
  WaitForSingleObject(ready, INFINITE);
  return helper;
}
API int finish(void) {
  int ended;
  SendMessageW(helper, WM_CLOSE, 0, 0);
  ended = WaitForSingleObject(thread, 10000) == WAIT_OBJECT_0;
  return ended && !IsWindow(helper);
}
API LONG_PTR twice(int number, int more) { return SendMessageW(helper, WM_APP, number, more); }
API void hear(handler told) { heard = told; }
API LONG_PTR tell(int number) { return SendMessageW(helper, WM_APP + 1, number, 0); }
API int waited(int count) {
  for (int i = 0; i < 1000 && ticks < count; i++) Sleep(10);
  return ticks >= count;
}

/* The colour of a pixel that was drawn in memory, and the bits of a pixel of the screen's. */
API DWORD drawn(COLORREF colour) {
  HDC screen = GetDC(NULL), memory = CreateCompatibleDC(screen);
  HBITMAP bitmap = CreateBitmap(8, 8, 1, 32, NULL);
  HGDIOBJ before = SelectObject(memory, bitmap);
  HBRUSH brush = CreateSolidBrush(colour);
  RECT all = {0, 0, 8, 8};
  FillRect(memory, &all, brush);
  colour = GetPixel(memory, 3, 3);
  DeleteObject(brush), SelectObject(memory, before), DeleteObject(bitmap), DeleteDC(memory), ReleaseDC(NULL, screen);
  return colour;
}
API int depth(void) {
  HDC screen = GetDC(NULL);
  int bits = GetDeviceCaps(screen, BITSPIXEL);
  ReleaseDC(NULL, screen);
  return bits;
}

API int copy(const wchar_t *text) {
  size_t size = (lstrlenW(text) + 1) * sizeof *text;
  HGLOBAL block = GlobalAlloc(GMEM_MOVEABLE, size);
  memcpy(GlobalLock(block), text, size);
  GlobalUnlock(block);
  if (!OpenClipboard(helper)) return 0;
  EmptyClipboard();
  int done = SetClipboardData(CF_UNICODETEXT, block) != NULL;
  CloseClipboard();
  return done;
}
API int paste(wchar_t *text, int room) {
  HGLOBAL block;
  if (!OpenClipboard(NULL)) return 0;
  block = GetClipboardData(CF_UNICODETEXT);
  if (block) lstrcpynW(text, GlobalLock(block), room), GlobalUnlock(block);
  CloseClipboard();
  return block != NULL;
}

/* What a program does that must not wait for a click: it answers its own box. */
static DWORD WINAPI answer(LPVOID nothing) {
  (void)nothing;
  for (int i = 0; i < 1000; i++) {
    HWND box = FindWindowW(L"#32770", L"a question");
    if (box) return PostMessageW(box, WM_COMMAND, IDYES, 0), 0;
    Sleep(10);
  }
  return 1;
}
API int asked(void) {
  HANDLE other = CreateThread(NULL, 0, answer, NULL, 0, NULL);
  int answered = MessageBoxW(NULL, L"Go on?", L"a question", MB_YESNO);
  WaitForSingleObject(other, 10000);
  CloseHandle(other);
  return answered;
}
