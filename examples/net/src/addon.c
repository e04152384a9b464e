#include "server.h"

FIBRIL_MODULE(m) {
  export_echo(m);
  export_lines(m);
  export_proxy(m);
  export_scan(m);
  export_resolve(m);
}
