/* Children that nobody waits for any more, and that have not ended: killed, or left alone. A thread
 * waits for each, so that none stays a zombie, and no loop waits for one that can't end. */
#include "process.h"

#include "../../core/switch/process.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>

#define STACK_SIZE (64 * 1024)

static bool reap(int pid, int options) {
  int result;
  do result = waitpid(pid, NULL, options);
  while (result < 0 && errno == EINTR);
  return result != 0;
}

static void *wait_for_orphan(void *pid) {
  reap((int)(intptr_t)pid, 0);
  return NULL;
}

/* The thread may outlive whoever has loaded this. */
static void keep_file(void) {
  fibril__process_keep_file((const void *)(uintptr_t)wait_for_orphan);
}

/* Without one the child stays a zombie, for as long as this process. */
static void start_thread(int pid) {
  static uv_once_t once = UV_ONCE_INIT;
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all, before;
  uv_once(&once, keep_file);
  if (pthread_attr_init(&attributes) != 0) return;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, STACK_SIZE);
  sigfillset(&all); /* the process' signals are for its other threads */
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_create(&thread, &attributes, wait_for_orphan, (void *)(intptr_t)pid);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
}

void fibril__process_orphan(int pid) {
  if (!reap(pid, WNOHANG)) start_thread(pid);
}
