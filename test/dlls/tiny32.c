/* A DLL for 32-bit programs. */
__declspec(dllexport) int answer(void) { return 32; }
