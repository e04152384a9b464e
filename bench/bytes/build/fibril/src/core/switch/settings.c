#include "settings.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

bool fibril__setting(const char *name, char *text, size_t size) {
  size_t length = size;
  int err = uv_os_getenv(name, text, &length);
  if (err == UV_ENOBUFS)
    snprintf(text, size, "(too long)");
  else if (err != 0)
    text[0] = '\0';
  return err != UV_ENOENT;
}

bool fibril__setting_is_on(const char *name) {
  char text[16];
  return fibril__setting(name, text, sizeof text) && strcmp(text, "1") == 0;
}
