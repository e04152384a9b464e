# The echo servers of bench/net.js that run inside Node.
{
  'target_defaults': {
    'type': 'loadable_module',
    'configurations': {'Release': {'cflags': ['-O2']}},
    'cflags_c': ['-std=gnu11', '-fvisibility=hidden'],
  },
  'targets': [
    {
      'target_name': 'fibril_echo',
      'dependencies': ["<!(node -p \"require('fibril/gyp').target\")"],
      'sources': ['addon_fibril.c', 'echo.c'],
    },
    {
      'target_name': 'callbacks',
      'include_dirs': ["<!(node -p \"require('fibril/gyp').include\")"],
      'sources': ['addon_callbacks.c', 'callbacks.c'],
      'defines': ['NAPI_VERSION=8'],
    },
  ],
}
