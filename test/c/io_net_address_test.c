/* Addresses of the internet: what is one, and how it reads. */
#include "test.h"

#include "../../src/io/net/address.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

/* There and back. */
static void check_text(const char *host, int port, const char *expected) {
  struct sockaddr_storage address;
  char text[FIBRIL__ADDRESS_LENGTH];
  struct sockaddr *any = (struct sockaddr *)&address;
  if (!CHECK_INT(fibril__address_parse(host, port, &address), 0)) return;
  fibril__address_format(any, text);
  CHECK_STR(text, expected);
  CHECK_INT(fibril__address_port(any), port);
  fibril__address_set_port(any, 65535 - port);
  CHECK_INT(fibril__address_port(any), 65535 - port);
  bool ip4 = any->sa_family == AF_INET;
  CHECK_INT(fibril__address_size(any),
            ip4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
}

TEST(addresses_are_read_and_written) {
  check_text("127.0.0.1", 80, "127.0.0.1:80");
  check_text("0.0.0.0", 0, "0.0.0.0:0");
  check_text("255.255.255.255", 65535, "255.255.255.255:65535");
  check_text("::1", 80, "[::1]:80");
  check_text("::", 1, "[::]:1");
  check_text("0:0:0:0:0:0:0:1", 2, "[::1]:2");
  check_text("::ffff:127.0.0.1", 8080, "[::ffff:127.0.0.1]:8080");
  check_text("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", 65535,
             "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

TEST(the_longest_address_fits) {
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = 0xffff};
  char text[FIBRIL__ADDRESS_LENGTH];
  memset(&address.sin6_addr, 0xff, sizeof address.sin6_addr);
  address.sin6_scope_id = UINT32_MAX;
  fibril__address_format((struct sockaddr *)&address, text);
  CHECK_STR(text, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535");
}

TEST(an_interface_is_named_or_numbered) {
  struct sockaddr_storage address;
  char name[IF_NAMESIZE + 1], host[64], expected[80], text[FIBRIL__ADDRESS_LENGTH];
  if (if_indextoname(1, name) == NULL) {
    CHECK(true); /* a machine without any */
    return;
  }
  snprintf(expected, sizeof expected, "[fe80::1%%%s]:7", name);
  snprintf(host, sizeof host, "fe80::1%%%s", name);
  check_text(host, 7, expected);
  check_text("fe80::1%1", 7, expected);
  CHECK_INT(fibril__address_parse("fe80::1%1", 0, &address), 0);
  CHECK_INT(((struct sockaddr_in6 *)&address)->sin6_scope_id, 1);
  CHECK_INT(fibril__address_parse("fe80::1%4000000000", 7, &address), 0);
  fibril__address_format((struct sockaddr *)&address, text);
  CHECK_STR(text, "[fe80::1%4000000000]:7");
}

TEST(what_is_no_address_may_be_a_name) {
  static const char *const texts[] = {"localhost",
                                      "127.0.0.256",
                                      "127.1",
                                      "1.2.3.4.5",
                                      "[::1]",
                                      "::1%",
                                      "::1%no-such-one",
                                      "::1%1x",
                                      "::1%99999999999",
                                      "%lo",
                                      "127.0.0.1%lo",
                                      ":::",
                                      " 127.0.0.1",
                                      "1::2::3",
                                      "::1::ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255.255"};
  struct sockaddr_storage address;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (!CHECK_INT(fibril__address_parse(texts[i], 80, &address), UV_EAI_NONAME))
      FAIL("%s", texts[i]);
}

TEST(bad_hosts_and_ports_are_refused) {
  struct sockaddr_storage address;
  char host[300];
  CHECK_INT(fibril__address_parse(NULL, 80, &address), UV_EINVAL);
  CHECK_INT(fibril__address_parse("", 80, &address), UV_EINVAL);
  CHECK_INT(fibril__address_parse("127.0.0.1", -1, &address), UV_EINVAL);
  CHECK_INT(fibril__address_parse("127.0.0.1", 65536, &address), UV_EINVAL);
  memset(host, 'a', sizeof host);
  host[FIBRIL__HOST_LENGTH + 1] = '\0';
  CHECK_INT(fibril__address_parse(host, 80, &address), UV_ENAMETOOLONG);
  host[FIBRIL__HOST_LENGTH] = '\0';
  CHECK_INT(fibril__address_parse(host, 80, &address), UV_EAI_NONAME);
}

TEST(another_family_has_no_text) {
  struct sockaddr address = {.sa_family = AF_UNIX};
  char text[FIBRIL__ADDRESS_LENGTH] = "something";
  fibril__address_format(&address, text);
  CHECK_STR(text, "");
  CHECK_INT(fibril__address_size(&address), 0);
}
