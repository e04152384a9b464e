# The generators of bench/iterator.js.
{
  'targets': [
    {
      'target_name': 'iterator',
      'type': 'loadable_module',
      'configurations': {'Release': {'cflags': ['-O2']}},
      'dependencies': ["<!(node -p \"require('fibril/gyp').target\")"],
      'sources': ['iterator.c'],
      'cflags_c': ['-std=gnu11', '-fvisibility=hidden'],
    },
  ],
}
