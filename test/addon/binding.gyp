# Addons that depend on fibril as any other package does: the C tests, native functions for the JavaScript tests and for environments
# that end, one whose load is what is tested, one for the fuzzers, and two with the same functions and a copy of fibril each. `foreign` has nothing to do
# with it.
{
  'target_defaults': {
    'type': 'loadable_module',
    'dependencies': ["<!(node -p \"require('fibril/gyp').target\")"],
    # What their calls of fibril fail with is noted, where somebody asks for it.
    'cflags_c': ['-std=gnu11', '-fvisibility=hidden', '-include', '<!(node ../../scripts/provoked.js "<(module_root_dir)/build")'],
    'conditions': [
      ['"<!(node -p "process.env.FIBRIL_WERROR || 0")"=="1"', {
        'cflags_c': ['-Wunused-parameter', '-Werror'],
      }],
    ],
  },
  'targets': [
    {
      'target_name': 'c_tests',
      'defines': ['NAPI_VERSION=8'],
      'sources': ['c_tests.c', '<!@(node ../../gyp/sources.js ../c:.c !../c/main.c)'],
    },
    {
      'target_name': 'natives',
      'sources': ['natives.c'],
    },
    {
      'target_name': 'pressure',
      'sources': ['pressure.c'],
    },
    {
      'target_name': 'parser',
      'sources': ['parser.c'],
    },
    {
      'target_name': 'signatures',
      'sources': ['signatures.c'],
    },
    {
      'target_name': 'classes',
      'sources': ['classes.c'],
    },
    {
      'target_name': 'instances',
      'sources': ['instances.c'],
    },
    {
      'target_name': 'containers',
      'sources': ['containers.c'],
    },
    {
      'target_name': 'references',
      'sources': ['references.c'],
    },
    {
      'target_name': 'bytes',
      'sources': ['bytes.c'],
    },
    {
      'target_name': 'names',
      'sources': ['names.c'],
    },
    {
      'target_name': 'declares',
      'sources': ['declares.c'],
    },
    {
      'target_name': 'synchronous',
      'sources': ['synchronous.c'],
    },
    {
      'target_name': 'callbacks',
      'sources': ['callbacks.c'],
    },
    {
      'target_name': 'waits',
      'sources': ['waits.c', '../c/every_wait.c'],
    },
    {
      'target_name': 'signals',
      'sources': ['signals.c'],
    },
    {
      'target_name': 'iterators',
      'sources': ['iterators.c'],
    },
    {
      'target_name': 'ends',
      'sources': ['ends.c'],
    },
    {
      'target_name': 'environments',
      'sources': ['environments.c'],
    },
    {
      'target_name': 'owners',
      'sources': ['owners.c', '../c/owners.c'],
    },
    {
      'target_name': 'fuzzed',
      'sources': ['fuzzed.c'],
    },
    {
      'target_name': 'overflows',
      'defines': ['COPY="first"'],
      'sources': ['overflows.c'],
    },
    {
      'target_name': 'overflows_again',
      'defines': ['COPY="second"'],
      'sources': ['overflows.c'],
    },
    {
      'target_name': 'throws',
      'sources': ['throws.cc'],
      'cflags_cc': ['-std=c++17', '-fexceptions', '-fvisibility=hidden'],
      'cflags_cc!': ['-fno-exceptions'],
    },
    {
      'target_name': 'foreign',
      'defines': ['NAPI_VERSION=8'],
      'dependencies!': ["<!(node -p \"require('fibril/gyp').target\")"],
      'sources': ['foreign.c'],
    },
  ],
}
