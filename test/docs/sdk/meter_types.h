/* Acme meters: types. (c) nobody: made for the tests of a documentation page. */
#ifndef METER_TYPES_H
#define METER_TYPES_H

#define METER_CALL __stdcall
#define METER_VERSION 0x00030002
#define METER_ALL_CHANNELS 0xFFFFFFFF

typedef struct meter_device *METER;

typedef enum { METER_OK = 0, METER_NO_DEVICE = -1, METER_BAD_CHANNEL = -2 } METER_STATUS;

#pragma pack(push, 1)
typedef struct {
  DWORD size;
  WORD channels;
  char model[16];
  double rate;
} METER_INFO;
#pragma pack(pop)

typedef BOOL(METER_CALL *METER_ON_READING)(void *user, DWORD channel, double value);

#endif
