/* Datagrams: whole, and once. */
#include "../../../src/io/net/udp.h"
#include "net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST 3000

typedef struct {
  uint32_t id, length;
  unsigned char bytes[LONGEST];
} datagram;

enum { HEAD = offsetof(datagram, bytes) };

static fibril_udp *get(void) {
  fibril_udp *udp = net.udps[fuzz_below(UDPS)];
  return udp == NULL ? NULL : fibril_udp_ref(udp);
}

int act_udp(void) {
  fibril_udp **place = &net.udps[fuzz_below(UDPS)], *udp;
  if (*place != NULL && fuzz_once_in(2)) {
    fibril_udp_close(*place);
    return 0;
  }
  fibril_udp_options options = {.size = sizeof options,
                                .send_buffer = fuzz_once_in(2) ? 2048 : 0,
                                .receive_buffer = fuzz_once_in(2) ? 2048 : 0};
  int err = fibril_udp_open("127.0.0.1", 0, &options, &udp);
  if (err != 0) return net_judge(err, false);
  if (!fuzz_once_in(4)) fibril_udp_detach(udp);
  if (fuzz_once_in(4)) fibril_udp_unhold(udp);
  fibril_udp *old = *place;
  *place = fibril_udp_ref(udp);
  if (old == NULL) return 0;
  fibril_udp_close(old);
  fibril_udp_unref(old);
  return 0;
}

static struct sockaddr_in address_of(const fibril_udp *udp) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  int port = fibril_udp_port(udp);
  address.sin_port = htons((uint16_t)(port > 0 ? port : 9));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int act_send(void) {
  datagram one;
  fibril_udp *from = get(), *to = get();
  int err = 0;
  if (from != NULL && to != NULL && net.datagrams < DATAGRAMS) {
    struct sockaddr_in address = address_of(to);
    one.id = net.datagrams++;
    one.length = (uint32_t)fuzz_below(LONGEST + 1);
    for (uint32_t i = 0; i < one.length; i++) one.bytes[i] = (unsigned char)(one.id + i);
    err = fibril_udp_send(from, &one, HEAD + one.length, (struct sockaddr *)&address);
    if (err == UV_EBUSY || err == UV_ECONNREFUSED || err == UV_ENOBUFS) err = 0;
    err = net_judge(err, from->handle.closed);
  }
  if (from != NULL) fibril_udp_unref(from);
  if (to != NULL) fibril_udp_unref(to);
  return err;
}

static void check_datagram(const datagram *one, size_t length) {
  REQUIRE(length == HEAD + one->length && one->id < net.datagrams && !net.received[one->id]);
  net.received[one->id] = true;
  for (uint32_t i = 0; i < one->length; i++) REQUIRE(one->bytes[i] == (unsigned char)(one->id + i));
}

int act_receive(void) {
  datagram one;
  fibril_udp *udp = get();
  if (udp == NULL) return 0;
  struct sockaddr_storage from = {0};
  bool cut = fuzz_once_in(4);
  int64_t length = fibril_udp_receive(udp, &one, cut ? 100 : sizeof one, &from);
  if (length >= 0) check_datagram(&one, (size_t)length);
  if (length >= 0) REQUIRE(from.ss_family == AF_INET);
  bool known = length == UV_EBUSY || length == UV_ECONNREFUSED || (cut && length == UV_EMSGSIZE);
  int err = known ? 0 : net_judge(length, udp->handle.closed);
  fibril_udp_unref(udp);
  return err;
}
