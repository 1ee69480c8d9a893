/* A DLL for the programs of one architecture, which those of the other cannot load. */
__declspec(dllexport) int answer(void) { return 32; }
