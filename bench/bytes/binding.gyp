# What bench/bytes.js gives bytes to.
{
  'targets': [
    {
      'target_name': 'bytes',
      'type': 'loadable_module',
      'dependencies': ["<!(node -p \"require('fibril/gyp').target\")"],
      'sources': ['bytes.c'],
      'cflags_c': ['-std=gnu11', '-fvisibility=hidden'],
    },
  ],
}
