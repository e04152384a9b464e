#include "resolve.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

/* As uv_getaddrinfo says it. */
static int code_of(int error) {
  static const struct {
    int error, code;
  } codes[] = {
#ifdef EAI_ADDRFAMILY
      {EAI_ADDRFAMILY, UV_EAI_ADDRFAMILY},
#endif
#ifdef EAI_NODATA
      {EAI_NODATA, UV_EAI_NODATA},
#endif
      {EAI_AGAIN, UV_EAI_AGAIN},
      {EAI_BADFLAGS, UV_EAI_BADFLAGS},
      {EAI_FAIL, UV_EAI_FAIL},
      {EAI_FAMILY, UV_EAI_FAMILY},
      {EAI_MEMORY, UV_EAI_MEMORY},
      {EAI_NONAME, UV_EAI_NONAME},
      {EAI_OVERFLOW, UV_EAI_OVERFLOW},
      {EAI_SERVICE, UV_EAI_SERVICE},
      {EAI_SOCKTYPE, UV_EAI_SOCKTYPE},
  };
  if (error == EAI_SYSTEM) return uv_translate_sys_error(errno);
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    if (codes[i].error == error) return codes[i].code;
  return UV_EAI_FAIL;
}

static int copy_addresses(const struct addrinfo *found, fibril__addresses **out) {
  size_t count = 0;
  for (const struct addrinfo *one = found; one != NULL; one = one->ai_next) count++;
  fibril__addresses *all = calloc(1, sizeof *all + count * sizeof *all->list);
  if (all == NULL) return UV_ENOMEM;
  for (; found != NULL; found = found->ai_next) {
    size_t size = fibril__address_size(found->ai_addr);
    if (size != 0) memcpy(&all->list[all->count++], found->ai_addr, size);
  }
  if (all->count == 0) {
    free(all);
    return UV_EAI_NODATA;
  }
  *out = all;
  return 0;
}

/* With a type of socket, or each address would come once for each. */
int fibril__resolve_host(const char *host, int family, fibril__addresses **out) {
  struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM}, *found = NULL;
  int error = getaddrinfo(host, NULL, &hints, &found);
  if (error != 0) return code_of(error);
  int err = copy_addresses(found, out);
  freeaddrinfo(found);
  return err;
}

int fibril__resolve_address(const struct sockaddr *address, char *host, size_t length) {
  int error = getnameinfo(address, (socklen_t)fibril__address_size(address), host,
                          (socklen_t)length, NULL, 0, 0);
  return error == 0 ? 0 : code_of(error);
}
