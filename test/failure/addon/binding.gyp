# An addon whose copy of fibril, src/node included, makes calls that fail when test/failure/node.js asks for it. With ASan.
{
  'target_defaults': {
    'cflags_c': ['-std=gnu11', '-O1', '-fvisibility=hidden', '-fno-lto', '-fsanitize=address'],
    'defines': ['NAPI_VERSION=8'],
    'include_dirs': ['../../../include', '<!(node ../../../gyp/js2c.js "<(module_root_dir)/build/fibril_js" ../../../src/node/runtime)'],
  },
  'targets': [
    {
      'target_name': 'tested',
      'type': 'static_library',
      'sources': ['<!@(node ../../../gyp/sources.js ../../../src/core/:.c ../../../src/io/:.c ../../../src/node/:.c)'],
      'cflags_c': ['-include', '<(module_root_dir)/../node_calls.h'],
    },
    {
      'target_name': 'switch',
      'type': 'static_library',
      'sources': ['<!@(node ../../../gyp/sources.js ../../../src/core/:.S)'],
    },
    {
      # Each has an entry point, which control.c calls.
      'target_name': 'natives',
      'type': 'static_library',
      'sources': ['../../addon/natives.c'],
      'cflags_c': ['-include', '<!(node ../../../scripts/provoked.js "<(module_root_dir)/build")'],
      'defines': ['napi_register_module_v1=failure_register_natives'],
    },
    {
      'target_name': 'classes',
      'type': 'static_library',
      'sources': ['../../addon/classes.c'],
      'cflags_c': ['-include', '<!(node ../../../scripts/provoked.js "<(module_root_dir)/build")'],
      'defines': ['napi_register_module_v1=failure_register_classes'],
    },
    {
      'target_name': 'callbacks',
      'type': 'static_library',
      'sources': ['../../addon/callbacks.c'],
      'cflags_c': ['-include', '<!(node ../../../scripts/provoked.js "<(module_root_dir)/build")'],
      'defines': ['napi_register_module_v1=failure_register_callbacks'],
    },
    {
      'target_name': 'iterators',
      'type': 'static_library',
      'sources': ['../../addon/iterators.c'],
      'cflags_c': ['-include', '<!(node ../../../scripts/provoked.js "<(module_root_dir)/build")'],
      'defines': ['napi_register_module_v1=failure_register_iterators'],
    },
    {
      'target_name': 'synchronous',
      'type': 'static_library',
      'sources': ['../../addon/synchronous.c'],
      'cflags_c': ['-include', '<!(node ../../../scripts/provoked.js "<(module_root_dir)/build")'],
      'defines': ['napi_register_module_v1=failure_register_synchronous'],
    },
    {
      'target_name': 'instances',
      'type': 'static_library',
      'sources': ['../../addon/instances.c'],
      'cflags_c': ['-include', '<!(node ../../../scripts/provoked.js "<(module_root_dir)/build")'],
      'defines': ['napi_register_module_v1=failure_register_instances'],
    },
    {
      'target_name': 'bytes',
      'type': 'static_library',
      'sources': ['../../addon/bytes.c'],
      'cflags_c': ['-include', '<!(node ../../../scripts/provoked.js "<(module_root_dir)/build")'],
      'defines': ['napi_register_module_v1=failure_register_bytes'],
    },
    {
      'target_name': 'names',
      'type': 'static_library',
      'sources': ['../../addon/names.c'],
      'cflags_c': ['-include', '<!(node ../../../scripts/provoked.js "<(module_root_dir)/build")'],
      'defines': ['napi_register_module_v1=failure_register_names'],
    },
    {
      'target_name': 'environments',
      'type': 'static_library',
      'sources': ['../../addon/environments.c'],
      'cflags_c': ['-include', '<!(node ../../../scripts/provoked.js "<(module_root_dir)/build")'],
      'defines': ['napi_register_module_v1=failure_register_environments'],
    },
    {
      'target_name': 'own',
      'type': 'static_library',
      'sources': ['<!@(node ../../../gyp/sources.js ../../../src/addon:.c)'],
      'cflags_c': ['-include', '<(module_root_dir)/../calls.h'],
      'defines': ['napi_register_module_v1=failure_register_own'],
    },
    {
      'target_name': 'failing',
      'type': 'loadable_module',
      'sources': ['control.c', '../inject.c'],
      'dependencies': ['natives', 'classes', 'callbacks', 'iterators', 'synchronous', 'instances', 'bytes', 'names', 'environments', 'own', 'tested', 'switch'],
      'ldflags': ['-fsanitize=address', '-Wl,--wrap=free', '-Wl,--wrap=munmap', '-Wl,-z,nodelete'],
    },
  ],
}
