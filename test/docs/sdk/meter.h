/* Acme meters: routines. */
#pragma once
#include <windows.h>
#include "meter_types.h"

#ifdef METER_BUILD
#define METER_API __declspec(dllexport)
#else
#define METER_API __declspec(dllimport)
#endif

METER_API METER_STATUS METER_CALL meter_open(const char *port, METER *device);
METER_API METER_STATUS METER_CALL meter_info(METER device, METER_INFO *info);
METER_API METER_STATUS METER_CALL meter_read(METER device, DWORD channel, double *values, DWORD count);
METER_API METER_STATUS METER_CALL meter_watch(METER device, METER_ON_READING on_reading, void *user);
#if METER_WITH_EVENTS
METER_API METER_STATUS METER_CALL meter_event(METER device, HANDLE event);
#endif
METER_API const char *METER_CALL meter_text(METER_STATUS status);
METER_API void METER_CALL meter_close(METER device);
