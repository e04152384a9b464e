/* Another author's addon, which knows nothing of fibril and handles SIGSEGV itself: it mends the
 * faults of a page of its own, as virtual machines do, and passes on all others.
 *
 *   install(onAlternateStack)  sets the handler up
 *   fault()                    writes to the closed page; how many faults were mended so far
 *   segv()                     writes to nowhere */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <node_api.h>

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct sigaction previous;
static char *page;
static volatile int mended;
static char *volatile nowhere = (char *)16;

static void on_fault(int number, siginfo_t *info, void *context) {
  if (page != NULL && info->si_addr == page) {
    mprotect(page, 1, PROT_READ | PROT_WRITE);
    mended++;
    return;
  }
  static const char text[] = "foreign: not mine\n";
  if (write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(9);
  if (previous.sa_flags & SA_SIGINFO)
    previous.sa_sigaction(number, info, context);
  else
    sigaction(number, &previous, NULL); /* the instruction faults again */
}

static napi_value install(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argument;
  bool on_alternate_stack = false;
  struct sigaction action;
  napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
  napi_get_value_bool(env, argument, &on_alternate_stack);
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | (on_alternate_stack ? SA_ONSTACK : 0);
  sigemptyset(&action.sa_mask);
  page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED || sigaction(SIGSEGV, &action, &previous) != 0)
    napi_throw_error(env, NULL, "the handler could not be set up");
  return NULL;
}

static napi_value fault(napi_env env, napi_callback_info info) {
  napi_value result;
  (void)info;
  mprotect(page, 1, PROT_NONE);
  *(volatile char *)page = 1;
  napi_create_int32(env, mended, &result);
  return result;
}

static napi_value segv(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  *nowhere = 1;
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_property_descriptor functions[] = {
      {"install", NULL, install, NULL, NULL, NULL, napi_default, NULL},
      {"fault", NULL, fault, NULL, NULL, NULL, napi_default, NULL},
      {"segv", NULL, segv, NULL, NULL, NULL, napi_default, NULL},
  };
  napi_define_properties(env, exports, 3, functions);
  return exports;
}
