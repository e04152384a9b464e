'use strict';

const js = require('@eslint/js');

// What Node itself has, so that no list of names needs care.
const nodeGlobals = Object.fromEntries(
  [...Object.getOwnPropertyNames(globalThis), '__dirname', '__filename'].map((name) => [name, 'readonly']),
);

const mochaGlobals = Object.fromEntries(
  ['describe', 'it', 'before', 'after', 'beforeEach', 'afterEach'].map((name) => [name, 'readonly']),
);

module.exports = [
  { ignores: ['**/build/', 'prebuilds/', 'node_modules/'] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: 'commonjs', globals: nodeGlobals },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      curly: ['error', 'multi-line'],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-constant-condition': ['error', { checkLoops: false }],
      'no-shadow': 'error',
      'no-throw-literal': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'all' }],
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'require-yield': 'off',
      strict: ['error', 'global'],
    },
  },
  { files: ['**/*.mjs'], languageOptions: { sourceType: 'module' }, rules: { strict: 'off' } },
  { files: ['test/**', 'examples/*/test/**'], languageOptions: { globals: mochaGlobals }, rules: { 'no-throw-literal': 'off' } },
  {
    // One function's body in several files: names cross between them, and the function begins in gyp/js2c.js.
    files: ['src/node/runtime/**'],
    languageOptions: {
      sourceType: 'script',
      globals: { native: 'readonly', require: 'off', module: 'off', exports: 'off' },
    },
    rules: {
      strict: 'off',
      'no-undef': 'off',
      'prefer-const': 'off',
      'no-unused-vars': ['error', { vars: 'local', argsIgnorePattern: '^_', caughtErrors: 'all' }],
    },
  },
];
