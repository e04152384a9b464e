# The static library: all of fibril, an addon's own copy. Another package's binding.gyp depends on it with
#   "dependencies": ["<!(node -p \"require('fibril/gyp').target\")"]
# and gets the include folder and every flag it needs from here.
{
  'targets': [
    {
      'target_name': 'fibril',
      'type': 'static_library',
      'sources': [
        '<!@(node sources.js ../src/core/:.c,.S ../src/io/:.c ../src/node/:.c)',
      ],
      'include_dirs': [
        '../include',
        '<!(node js2c.js "<(module_root_dir)/build/fibril_js" ../src/node/runtime)',
      ],
      'defines': ['NAPI_VERSION=8'],
      # cflags_c come after all that Node's common.gypi sets, and win.
      'cflags_c': ['-std=gnu11', '-fvisibility=hidden', '-fno-lto'],
      'configurations': {
        # The switch wants the frame pointer's register, and -O3 only makes the paths around it longer. Where functions begin anywhere,
        # a change in one file can double what the switch costs in another.
        'Release': {'cflags_c': ['-O2', '-fomit-frame-pointer', '-falign-functions=64']},
      },
      'xcode_settings': {
        'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
        'CLANG_C_LANGUAGE_STANDARD': 'gnu11',
      },
      'conditions': [
        ['OS=="linux"', {'cflags': ['-fstack-clash-protection']}],
        # Not by default: another compiler's new warning must not break somebody's build.
        ['"<!(node -p "process.env.FIBRIL_WERROR || 0")"=="1"', {
          'cflags_c': ['-Wunused-parameter', '-Werror'],
        }],
      ],
      'direct_dependent_settings': {
        'include_dirs': ['../include'],
      },
      'all_dependent_settings': {
        'conditions': [
          # What runs on a coroutine's stack must touch the guard below it, never jump over it.
          ['OS=="linux"', {'cflags': ['-fstack-clash-protection']}],
        ],
      },
      'link_settings': {
        'conditions': [
          ['OS=="linux"', {
            'ldflags': [
              # Several addons of a process have a copy each: none may use another one's symbols.
              '-Wl,--exclude-libs,ALL',
              # Node unloads an addon with the last worker that used it, but a signal handler stays.
              '-Wl,-z,nodelete',
              '-Wl,-z,noexecstack',
              # node-gyp links with the C++ driver; nothing here needs libstdc++.
              '-Wl,--as-needed',
            ],
          }],
        ],
      },
    },
  ],
}
