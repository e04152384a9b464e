/* What the system may be told of a UDP socket: options, groups. */
#include "address.h"
#include "socket.h"
#include "udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* ---- Interfaces ---- */

/* By its name, its number, an IPv4 address that it has, or the scope of another. */
typedef struct {
  unsigned index; /* 0: see `address` */
  struct in_addr address;
} interface;

static int parse_interface(const char *text, interface *out) {
  struct sockaddr_storage address;
  *out = (interface){.index = text == NULL ? 0 : fibril__interface_parse(text)};
  if (text == NULL || out->index != 0) return 0;
  if (fibril__address_parse(text, 0, &address) != 0) return UV_ENODEV;
  if (address.ss_family == AF_INET) out->address = ((struct sockaddr_in *)&address)->sin_addr;
  if (address.ss_family == AF_INET6) out->index = ((struct sockaddr_in6 *)&address)->sin6_scope_id;
  return address.ss_family == AF_INET || out->index != 0 ? 0 : UV_ENODEV;
}

static int set_bytes(int fd, int level, int name, const void *value, socklen_t size) {
  return setsockopt(fd, level, name, value, size) == 0 ? 0 : uv_translate_sys_error(errno);
}

static int set_sending_interface(int fd, int family, const char *text) {
  interface on;
  int err = parse_interface(text, &on);
  struct ip_mreqn request = {.imr_ifindex = (int)on.index, .imr_address = on.address};
  if (err == 0) err = set_bytes(fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request);
  if (err == 0 && family == AF_INET6 && on.index != 0)
    err = fibril__socket_set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)on.index);
  return err;
}

/* ---- Options ---- */

static bool is_ttl(int value) {
  return value >= 0 && value <= 255;
}

bool fibril__udp_options_are_valid(const fibril_udp_options *options) {
  return options->size == sizeof *options && is_ttl(options->ttl) &&
         is_ttl(options->multicast_ttl) && options->send_buffer >= 0 &&
         options->receive_buffer >= 0;
}

/* A socket for IPv6 carries IPv4 as well, and has the options of both. */
static int set_both(int fd, int family, int ip4, int ip6, int value) {
  int err = fibril__socket_set(fd, IPPROTO_IP, ip4, value);
  if (err == 0 && family == AF_INET6) err = fibril__socket_set(fd, IPPROTO_IPV6, ip6, value);
  return err;
}

static int set_multicast(int fd, int family, const fibril_udp_options *options) {
  int err = 0;
  if (options->multicast_ttl > 0)
    err = set_both(fd, family, IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, options->multicast_ttl);
  if (err == 0 && options->multicast_no_loop)
    err = set_both(fd, family, IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP, 0);
  if (err == 0 && options->multicast_interface != NULL)
    err = set_sending_interface(fd, family, options->multicast_interface);
  return err;
}

int fibril__udp_set_options(int fd, int family, const fibril_udp_options *options) {
  int err = 0;
  if (family == AF_INET6)
    err = fibril__socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, options->ipv6only);
  if (err == 0 && options->reuseaddr) err = fibril__socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (err == 0 && options->broadcast) err = fibril__socket_set(fd, SOL_SOCKET, SO_BROADCAST, 1);
  if (err == 0 && options->send_buffer > 0)
    err = fibril__socket_set(fd, SOL_SOCKET, SO_SNDBUF, options->send_buffer);
  if (err == 0 && options->receive_buffer > 0)
    err = fibril__socket_set(fd, SOL_SOCKET, SO_RCVBUF, options->receive_buffer);
  if (err == 0 && options->ttl > 0)
    err = set_both(fd, family, IP_TTL, IPV6_UNICAST_HOPS, options->ttl);
  return err != 0 ? err : set_multicast(fd, family, options);
}

/* ---- Groups ---- */

static int change_ip4(int fd, bool join, const struct sockaddr_in *group, const interface *on) {
  struct ip_mreqn request = {group->sin_addr, on->address, (int)on->index};
  if (!IN_MULTICAST(ntohl(group->sin_addr.s_addr))) return UV_EINVAL;
  return set_bytes(fd, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &request,
                   sizeof request);
}

static int change_ip6(int fd, bool join, const struct sockaddr_in6 *group, const interface *on) {
  unsigned index = on->index != 0 ? on->index : group->sin6_scope_id;
  if (on->address.s_addr != 0) return UV_ENODEV;
  struct ipv6_mreq request = {.ipv6mr_multiaddr = group->sin6_addr, .ipv6mr_interface = index};
  if (!IN6_IS_ADDR_MULTICAST(&group->sin6_addr)) return UV_EINVAL;
  return set_bytes(fd, IPPROTO_IPV6, join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &request,
                   sizeof request);
}

static int change_membership(fibril_udp *self, bool join, const char *group, const char *on) {
  struct sockaddr_storage address;
  interface where;
  if (self->handle.closed) return UV_EBADF;
  if (fibril__address_parse(group, 0, &address) != 0) return UV_EINVAL;
  int err = parse_interface(on, &where);
  if (err != 0) return err;
  if (address.ss_family == AF_INET)
    return change_ip4(self->fd, join, (struct sockaddr_in *)&address, &where);
  return change_ip6(self->fd, join, (struct sockaddr_in6 *)&address, &where);
}

int fibril_udp_join(fibril_udp *self, const char *group, const char *interface) {
  return change_membership(self, true, group, interface);
}

int fibril_udp_leave(fibril_udp *self, const char *group, const char *interface) {
  return change_membership(self, false, group, interface);
}
