/* The places in src that call something that can fail, and what makes them do so. */
#ifndef FIBRIL_TEST_FAILURE_SITES_H
#define FIBRIL_TEST_FAILURE_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

/* One call in the source. The linker collects pointers to all of them in the section
 * failure_sites, also to those that never run. */
typedef struct failure_site {
  const char *file;
  const char *function;
  const char *call;
  int line;
  int code; /* the libuv code of its failure */
} failure_site;

#define FAILURE_SITE(name, uv_code)                                                        \
  static const failure_site failure_here = {__FILE__, __func__, #name, __LINE__, uv_code}; \
  __attribute__((section("failure_sites"),                                                 \
                 used)) static const failure_site *const failure_listed = &failure_here;   \
  (void)failure_listed

/* Counts a call; true when it has to fail. */
bool failure_due(const failure_site *site);

#define FAILURE_MEMORY(name, ...)               \
  __extension__({                               \
    FAILURE_SITE(name, UV_ENOMEM);              \
    failure_##name(&failure_here, __VA_ARGS__); \
  })

#define FAILURE_SYSTEM(name, error, ...)                                    \
  __extension__({                                                           \
    FAILURE_SITE(name, -(error));                                           \
    failure_due(&failure_here) ? (errno = (error), -1) : name(__VA_ARGS__); \
  })

#define FAILURE_NULL(name, error, ...)                                        \
  __extension__({                                                             \
    FAILURE_SITE(name, -(error));                                             \
    failure_due(&failure_here) ? (errno = (error), NULL) : name(__VA_ARGS__); \
  })

#define FAILURE_UV(name, uv_code, ...)                          \
  __extension__({                                               \
    FAILURE_SITE(name, uv_code);                                \
    failure_due(&failure_here) ? (uv_code) : name(__VA_ARGS__); \
  })

/* Of one that has codes of its own. */
#define FAILURE_ANSWER(name, error, uv_code, ...)             \
  __extension__({                                             \
    FAILURE_SITE(name, uv_code);                              \
    failure_due(&failure_here) ? (error) : name(__VA_ARGS__); \
  })

/* libuv has initialised the request when it refuses it. */
#define FAILURE_FS(name, uv, request, ...)                                                        \
  __extension__({                                                                                 \
    FAILURE_SITE(name, UV_ENOMEM);                                                                \
    failure_due(&failure_here) ? failure_fs(request, UV_ENOMEM) : name(uv, request, __VA_ARGS__); \
  })

/* libuv has initialised the handle when it fails. */
#define FAILURE_SPAWN(name, uv, process, options)                                                  \
  __extension__({                                                                                  \
    FAILURE_SITE(name, UV_ENOENT);                                                                 \
    failure_due(&failure_here) ? failure_spawn(uv, process, options) : name(uv, process, options); \
  })

/* Of a close that is done in place the system says that it failed when the descriptor is gone. */
#define FAILURE_CLOSE(name, uv, request, fd, done)                      \
  __extension__({                                                       \
    FAILURE_SITE(name, UV_EIO);                                         \
    failure_due(&failure_here) ? failure_close(uv, request, fd, UV_EIO) \
                               : name(uv, request, fd, done);           \
  })

void *failure_malloc(const failure_site *site, size_t size);
void *failure_calloc(const failure_site *site, size_t count, size_t size);
void *failure_realloc(const failure_site *site, void *block, size_t size);
char *failure_strdup(const failure_site *site, const char *text);
char *failure_strndup(const failure_site *site, const char *text, size_t length);
void *failure_mmap(const failure_site *site, void *address, size_t length, int protection,
                   int flags, int descriptor, off_t offset);
int failure_fs(uv_fs_t *request, int code);
int failure_spawn(uv_loop_t *uv, uv_process_t *process, const uv_process_options_t *options);
int failure_close(uv_loop_t *uv, uv_fs_t *request, uv_file fd, int code);

#endif /* FIBRIL_TEST_FAILURE_SITES_H */
