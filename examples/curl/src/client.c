#define _GNU_SOURCE /* memfd_create */
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "transfer.h"

/* ---- libcurl's sockets and its timer, on the loop ---- */

static void report_ends(client *self) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(self->multi, &left)) != NULL) {
    if (message->msg != CURLMSG_DONE) continue;
    CURLcode code = message->data.result;
    transfer *ended;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &ended);
    transfer_ended(ended, code);
  }
}

static void act(client *self, curl_socket_t fd, int events) {
  int running;
  curl_multi_socket_action(self->multi, fd, events, &running);
  report_ends(self);
}

static void on_ready(int fd, int events, void *arg) {
  int ready = CURL_CSELECT_ERR;
  if (events >= 0) {
    ready = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
            (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
  }
  act(arg, fd, ready);
}

/* libcurl wants other events of a descriptor, or nothing more before it closes it. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known) {
  client *self = arg;
  (void)easy;
  if (what == CURL_POLL_REMOVE) return fibril_loop_remove_handler(self->loop, fd);
  int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
  int err;
  if (known == NULL) {
    err = fibril_loop_add_handler(self->loop, fd, events, on_ready, self);
    if (err == 0) curl_multi_assign(self->multi, fd, self);
  } else {
    err = fibril_loop_update_handler(self->loop, fd, events);
  }
  return err == 0 ? 0 : -1;
}

static void on_timer(void *arg) {
  client *self = arg;
  self->timer = 0;
  act(self, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long ms, void *arg) {
  client *self = arg;
  (void)multi;
  if (self->timer != 0) fibril_loop_remove_timeout(self->loop, self->timer);
  self->timer = 0;
  if (ms < 0) return 0;
  return fibril_loop_call_later(self->loop, (double)ms, on_timer, self, &self->timer) == 0 ? 0 : -1;
}

/* ---- Certificates ---- */

static int authority_new(const void *text, size_t length, authority **out) {
  authority *made = malloc(sizeof *made + length);
  if (made == NULL) return UV_ENOMEM;
  made->length = length;
  memcpy(made->text, text, length);
  made->fd = memfd_create("certificates", MFD_CLOEXEC);
  if (made->fd >= 0 && write(made->fd, text, length) == (ssize_t)length) {
    *out = made;
    return 0;
  }
  int err = -errno;
  if (made->fd >= 0) close(made->fd);
  free(made);
  return err;
}

int client_authority(client *self, const void *text, size_t length, char path[32]) {
  authority *found = self->authorities;
  while (found != NULL && (found->length != length || memcmp(found->text, text, length) != 0))
    found = found->next;
  if (found == NULL) {
    int err = authority_new(text, length, &found);
    if (err != 0) return err;
    found->next = self->authorities;
    self->authorities = found;
  }
  snprintf(path, 32, "/proc/self/fd/%d", found->fd);
  return 0;
}

/* ---- Open and close ---- */

int client_open(client *self, fibril_loop *loop, uint32_t most, uint32_t most_per_host) {
  self->loop = loop;
  self->multi = curl_multi_init();
  if (self->multi == NULL) return UV_ENOMEM;
  curl_multi_setopt(self->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(self->multi, CURLMOPT_SOCKETDATA, self);
  curl_multi_setopt(self->multi, CURLMOPT_TIMERFUNCTION, set_timer);
  curl_multi_setopt(self->multi, CURLMOPT_TIMERDATA, self);
  curl_multi_setopt(self->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)most);
  curl_multi_setopt(self->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)most_per_host);
  return 0;
}

void client_close(client *self) {
  if (self->multi != NULL) curl_multi_cleanup(self->multi);
  if (self->timer != 0) fibril_loop_remove_timeout(self->loop, self->timer);
  for (authority *each = self->authorities, *next; each != NULL; each = next) {
    next = each->next;
    close(each->fd);
    free(each);
  }
}
