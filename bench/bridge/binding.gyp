# The contenders of bench/bridge.js: the same trivial function as a coroutine, with napi_create_async_work and with
# node-addon-api's AsyncWorker; and synchronous functions of bare Node-API.
{
  'target_defaults': {
    'type': 'loadable_module',
    'configurations': {'Release': {'cflags': ['-O2']}},
  },
  'targets': [
    {
      'target_name': 'coroutine',
      'dependencies': ["<!(node -p \"require('fibril/gyp').target\")"],
      'sources': ['coroutine.c'],
      'cflags_c': ['-std=gnu11', '-fvisibility=hidden'],
    },
    {
      'target_name': 'async_work',
      'sources': ['async_work.c'],
      'defines': ['NAPI_VERSION=8'],
      'cflags_c': ['-std=gnu11', '-fvisibility=hidden'],
    },
    {
      'target_name': 'bare',
      'sources': ['bare.c'],
      'defines': ['NAPI_VERSION=8'],
      'cflags_c': ['-std=gnu11', '-fvisibility=hidden'],
    },
    {
      'target_name': 'async_worker',
      'sources': ['async_worker.cc'],
      'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': ['NAPI_VERSION=8', 'NAPI_DISABLE_CPP_EXCEPTIONS'],
    },
  ],
}
