/* The DLL behind meter.h: a device that is not there. */
#define METER_BUILD
#include "meter.h"

__declspec(dllimport) double calibrated(unsigned channel, double raw);

struct meter_device {
  int readings;
};

METER_STATUS METER_CALL meter_open(const char *port, METER *device) {
  static struct meter_device only;
  if (lstrcmpA(port, "COM3") != 0) return METER_NO_DEVICE;
  only.readings = 0;
  *device = &only;
  return METER_OK;
}

METER_STATUS METER_CALL meter_info(METER device, METER_INFO *info) {
  if (!device) return METER_NO_DEVICE;
  if (info->size != sizeof *info) return METER_BAD_CHANNEL;
  info->channels = 4;
  lstrcpyA(info->model, "MX-3");
  info->rate = 48.5;
  return METER_OK;
}

METER_STATUS METER_CALL meter_read(METER device, DWORD channel, double *values, DWORD count) {
  if (!device) return METER_NO_DEVICE;
  if (channel >= 4) return METER_BAD_CHANNEL;
  for (DWORD i = 0; i < count; i++) values[i] = calibrated(channel, ++device->readings);
  return METER_OK;
}

METER_STATUS METER_CALL meter_watch(METER device, METER_ON_READING on_reading, void *user) {
  DWORD channel = 0;
  if (!device) return METER_NO_DEVICE;
  while (channel < 4 && on_reading(user, channel, calibrated(channel, 1))) channel++;
  return METER_OK;
}

const char *METER_CALL meter_text(METER_STATUS status) {
  return status == METER_OK ? "fine" : status == METER_NO_DEVICE ? "there is no device at this port" : "there is no such channel";
}

void METER_CALL meter_close(METER device) { device->readings = 0; }
