/* Where a program is: in the PATH of the environment that the child will have. */
#include "process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The system's, where the environment has none. */
#define DEFAULT_PATH "/usr/local/bin:/bin:/usr/bin"

static const char *find_variable(const char *const *env, const char *name) {
  size_t length = strlen(name);
  for (; *env != NULL; env++)
    if (strncmp(*env, name, length) == 0 && (*env)[length] == '=') return *env + length + 1;
  return NULL;
}

/* A copy, since the environment of the process is everybody's. */
static char *path_of(const char *const *env) {
  char small[1024];
  size_t size = sizeof small;
  if (env != NULL) {
    const char *found = find_variable(env, "PATH");
    return strdup(found == NULL ? DEFAULT_PATH : found);
  }
  int err = uv_os_getenv("PATH", small, &size);
  if (err == UV_ENOBUFS) {
    char *large = malloc(size);
    if (large == NULL || uv_os_getenv("PATH", large, &size) == 0) return large;
    free(large);
  }
  return strdup(err == 0 ? small : DEFAULT_PATH);
}

/* "folder/file", below `cwd` where the folder is relative. An empty folder is the current one. */
static char *join(const char *cwd, const char *folder, size_t length, const char *file) {
  size_t before = cwd == NULL || (length > 0 && folder[0] == '/') ? 0 : strlen(cwd);
  char *path = malloc(before + length + strlen(file) + 3), *at = path;
  if (path == NULL) return NULL;
  if (before > 0) {
    memcpy(at, cwd, before);
    at += before;
    *at++ = '/';
  }
  memcpy(at, folder, length);
  at += length;
  if (length > 0) *at++ = '/';
  strcpy(at, file);
  return path;
}

static int check_program(const char *path) {
  struct stat about;
  if (stat(path, &about) != 0) return uv_translate_sys_error(errno);
  if (!S_ISREG(about.st_mode)) return UV_EACCES;
  return access(path, X_OK) == 0 ? 0 : uv_translate_sys_error(errno);
}

/* What is there and may not be run is told, where nothing else is found. */
static int search(const fibril_process_options *options, const char *folders, char **out) {
  int result = UV_ENOENT;
  for (const char *folder = folders;; folder++) {
    size_t length = strcspn(folder, ":");
    char *path = join(options->cwd, folder, length, options->file);
    if (path == NULL) return UV_ENOMEM;
    int err = check_program(path);
    if (err == 0) {
      *out = path;
      return 0;
    }
    free(path);
    if (err == UV_EACCES) result = err;
    folder += length;
    if (*folder == '\0') return result;
  }
}

int fibril__program_find(const fibril_process_options *options, char **out) {
  if (options->file[0] == '\0') return UV_ENOENT;
  if (strchr(options->file, '/') != NULL) {
    *out = strdup(options->file);
    return *out == NULL ? UV_ENOMEM : 0;
  }
  char *folders = path_of(options->env);
  if (folders == NULL) return UV_ENOMEM;
  int err = search(options, folders, out);
  free(folders);
  return err;
}
