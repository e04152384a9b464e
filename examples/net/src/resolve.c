/* What addresses a name has. */
#include "server.h"

static void add_address(const struct sockaddr *address, void *arg) {
  char text[INET6_ADDRSTRLEN];
  if (uv_ip_name(address, text, sizeof text) == 0)
    fibril_array_push(*(fibril_value *)arg, fibril_string(text, FIBRIL_AUTO_LENGTH));
}

static fibril_value resolve(fibril_args *args) {
  const char *name = fibril_arg_string(args, 0);
  int64_t family = fibril_value_integer(fibril_arg_option(args, 1, "family"));
  fibril_value addresses = fibril_array(0);
  int err = fibril_dns_lookup(name, 0,
                              family == 4   ? AF_INET
                              : family == 6 ? AF_INET6
                                            : 0,
                              add_address, &addresses);
  return err < 0 ? fibril_error_uv(err, "getaddrinfo", name) : addresses;
}

void export_resolve(fibril_module *m) {
  fibril_export(m,
                "resolve(name: string, options?: {family?: int32 = 0, signal?: AbortSignal}):"
                " Promise<string[]>",
                resolve);
}
