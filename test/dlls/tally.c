/* Counts its calls, so that a call that was refused can be told from one that was made. */
static int made;

__declspec(dllexport) int add(int a, int b) {
  made++;
  return a + b;
}

__declspec(dllexport) int calls(void) { return made; }
