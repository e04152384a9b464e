# fibril's own addon: its native functions, written against fibril.h like anybody else's. The repository builds it through
# the binding.gyp at its root. An installed package has none there, or npm would want to run it: this one builds it where no
# prebuilt binary fits, with the command that the loader's error names.
{
  'targets': [
    {
      'target_name': 'fibril_addon',
      'product_name': 'fibril',
      'type': 'loadable_module',
      'dependencies': ['fibril.gyp:fibril'],
      'sources': ['<!@(node sources.js ../src/addon:.c)'],
      'cflags_c': ['-std=gnu11', '-fvisibility=hidden'],
      'xcode_settings': {
        'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
        'CLANG_C_LANGUAGE_STANDARD': 'gnu11',
      },
      'conditions': [
        ['"<!(node -p "process.env.FIBRIL_WERROR || 0")"=="1"', {
          'cflags_c': ['-Wunused-parameter', '-Werror'],
        }],
      ],
    },
    {
      'target_name': 'install',
      'type': 'none',
      'dependencies': ['fibril_addon'],
      'copies': [
        # A path with a variable of make's is relative to the folder that make runs in.
        {'destination': '$(srcdir)/../build/<(CONFIGURATION_NAME)', 'files': ['<(PRODUCT_DIR)/fibril.node']},
      ],
    },
  ],
}
