#include "address.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int fibril__host_check(const char *host, int port) {
  if (host == NULL || *host == '\0' || !fibril__port_is_valid(port)) return UV_EINVAL;
  return strnlen(host, FIBRIL__HOST_LENGTH + 1) > FIBRIL__HOST_LENGTH ? UV_ENAMETOOLONG : 0;
}

unsigned fibril__interface_parse(const char *text) {
  unsigned index = if_nametoindex(text);
  if (index != 0 || *text < '0' || *text > '9') return index;
  char *end;
  unsigned long number = strtoul(text, &end, 10);
  return *end == '\0' && number <= UINT32_MAX ? (unsigned)number : 0;
}

/* uv_ip6_addr takes an interface that there is not for none. */
static int parse_ip6(const char *host, int port, struct sockaddr_in6 *out) {
  char address[INET6_ADDRSTRLEN];
  const char *percent = strchr(host, '%');
  size_t length = percent == NULL ? strlen(host) : (size_t)(percent - host);
  if (length >= sizeof address) return UV_EAI_NONAME;
  memcpy(address, host, length);
  address[length] = '\0';
  if (uv_inet_pton(AF_INET6, address, &out->sin6_addr) != 0) return UV_EAI_NONAME;
  out->sin6_family = AF_INET6;
  out->sin6_port = htons((uint16_t)port);
  if (percent == NULL) return 0;
  out->sin6_scope_id = fibril__interface_parse(percent + 1);
  return out->sin6_scope_id == 0 ? UV_EAI_NONAME : 0;
}

int fibril__address_parse(const char *host, int port, struct sockaddr_storage *out) {
  int err = fibril__host_check(host, port);
  if (err != 0) return err;
  memset(out, 0, sizeof *out);
  if (uv_ip4_addr(host, port, (struct sockaddr_in *)out) == 0) return 0;
  memset(out, 0, sizeof *out);
  return parse_ip6(host, port, (struct sockaddr_in6 *)out);
}

static void format_ip4(const struct sockaddr_in *address, char *text) {
  char host[INET_ADDRSTRLEN];
  uv_ip4_name(address, host, sizeof host);
  snprintf(text, FIBRIL__ADDRESS_LENGTH, "%s:%d", host, ntohs(address->sin_port));
}

static void format_ip6(const struct sockaddr_in6 *address, char *text) {
  char host[INET6_ADDRSTRLEN], scope[UV_IF_NAMESIZE] = "";
  size_t size = sizeof scope;
  unsigned index = address->sin6_scope_id;
  uv_ip6_name(address, host, sizeof host);
  if (index != 0 && uv_if_indextoname(index, scope, &size) != 0)
    snprintf(scope, sizeof scope, "%u", index);
  snprintf(text, FIBRIL__ADDRESS_LENGTH, "[%s%s%s]:%d", host, index == 0 ? "" : "%", scope,
           ntohs(address->sin6_port));
}

void fibril__address_format(const struct sockaddr *address, char text[FIBRIL__ADDRESS_LENGTH]) {
  *text = '\0';
  if (address->sa_family == AF_INET) format_ip4((const struct sockaddr_in *)address, text);
  if (address->sa_family == AF_INET6) format_ip6((const struct sockaddr_in6 *)address, text);
}

size_t fibril__address_size(const struct sockaddr *address) {
  if (address->sa_family == AF_INET) return sizeof(struct sockaddr_in);
  return address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : 0;
}

/* Where it is, in network order. */
static uint16_t *port_of(struct sockaddr *address) {
  if (address->sa_family == AF_INET) return &((struct sockaddr_in *)address)->sin_port;
  return &((struct sockaddr_in6 *)address)->sin6_port;
}

int fibril__address_port(const struct sockaddr *address) {
  return ntohs(*port_of((struct sockaddr *)(uintptr_t)address));
}

void fibril__address_set_port(struct sockaddr *address, int port) {
  *port_of(address) = htons((uint16_t)port);
}

bool fibril__address_equals(const struct sockaddr *a, const struct sockaddr *b) {
  if (a->sa_family != b->sa_family || fibril__address_size(a) == 0) return false;
  if (fibril__address_port(a) != fibril__address_port(b)) return false;
  if (a->sa_family == AF_INET)
    return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
           ((const struct sockaddr_in *)b)->sin_addr.s_addr;
  return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
                &((const struct sockaddr_in6 *)b)->sin6_addr, sizeof(struct in6_addr)) == 0;
}
