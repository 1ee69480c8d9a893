/* What meter.dll needs, as SDKs have it: a second DLL. */
__declspec(dllexport) double calibrated(unsigned channel, double raw) { return raw * 2 + channel; }
