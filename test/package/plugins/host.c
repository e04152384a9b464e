/* host PLUGIN PLUGIN: two plugins, of which the first is unloaded while the second goes on. */
#include <dlfcn.h>
#include <stdio.h>

static int run(void *plugin) {
  int (*entry)(void);
  *(void **)&entry = dlsym(plugin, "plugin_run");
  return entry == NULL ? -1 : entry();
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  void *first = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  printf("%d ", first == NULL ? -1 : run(first));
  void *second = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
  printf("%d ", second == NULL ? -1 : run(second));
  printf("%d ", first == NULL ? -1 : dlclose(first));
  printf("%d\n", second == NULL ? -1 : run(second));
  return 0;
}
