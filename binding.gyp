# For the repository only; a published package must have no binding.gyp at its root.
{
  'targets': [
    {
      'target_name': 'all_of_fibril',
      'type': 'none',
      'dependencies': ['gyp/fibril.gyp:fibril', 'gyp/binding.gyp:fibril_addon'],
    },
  ],
}
