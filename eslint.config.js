'use strict';

const fs = require('node:fs');
const path = require('node:path');
const js = require('@eslint/js');

// What Node itself has, so that no list of names needs care.
const nodeGlobals = Object.fromEntries(
  [...Object.getOwnPropertyNames(globalThis), '__dirname', '__filename']
    .map((name) => [name, 'readonly']),
);

const mochaGlobals = Object.fromEntries(
  ['describe', 'it', 'before', 'after', 'beforeEach', 'afterEach']
    .map((name) => [name, 'readonly']),
);

// What a program may replace after it has loaded fibril is taken when fibril is loaded, at the top
// of a file: lib/primordials.js and src/node/runtime/10-state.js say what. `taken`: names that
// other files of the same function have.
const noLateGlobals = {
  meta: { type: 'problem', schema: [{ type: 'object', properties: { taken: { type: 'array' } } }] },
  create(context) {
    const { taken = [] } = context.options[0] ?? {};
    const fixed = new Set(['undefined', 'NaN', 'Infinity', 'require', 'module', 'exports',
      '__dirname', '__filename', 'native', ...taken]);
    // In a function, or in the value of an object's field.
    const isLate = (node) => node !== null &&
      (/Function/.test(node.type) || (node.type === 'PropertyDefinition' && !node.static) ||
        isLate(node.parent));
    const check = ({ identifier }) => {
      const { name } = identifier;
      if (name in globalThis && !fixed.has(name) && isLate(identifier)) {
        context.report({ node: identifier,
          message: `"${name}" is read when the function is called: take it when the file is loaded.` });
      }
    };
    return {
      'Program:exit'(node) {
        const { set, through } = context.sourceCode.getScope(node);
        for (const variable of set.values()) {if (variable.defs.length === 0) {
          variable.references.forEach(check);
        }}
        through.forEach(check);
      },
    };
  },
};
const fibril = { rules: { 'no-late-globals': noLateGlobals } };

// Which globals the bridge's JavaScript has taken for all of its files.
const state = fs.readFileSync(path.join(__dirname, 'src', 'node', 'runtime', '10-state.js'),
  'utf8');
const taken = /const \{([^}]*)\} = globalThis/.exec(state)[1].split(',').map((name) => name.trim());

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
  { files: ['test/**', 'examples/*/test/**'], languageOptions: { globals: mochaGlobals },
    rules: { 'no-throw-literal': 'off' } },
  { files: ['lib/**'], plugins: { fibril }, rules: { 'fibril/no-late-globals': 'error' } },
  {
    // A string that can be searched for stays whole.
    rules: {
      'max-len': ['error', {
        code: 100, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true,
        ignoreRegExpLiterals: true,
      }],
    },
  },
  {
    // One function's body in several files: names cross between them, and the function begins in
    // gyp/js2c.js.
    files: ['src/node/runtime/**'],
    languageOptions: {
      sourceType: 'script',
      globals: { native: 'readonly', require: 'off', module: 'off', exports: 'off' },
    },
    plugins: { fibril },
    rules: {
      'fibril/no-late-globals': ['error', { taken: [...taken, 'FinalizationRegistry', 'WeakRef'] }],
      strict: 'off',
      'no-undef': 'off',
      'no-redeclare': ['error', { builtinGlobals: false }],
      'prefer-const': 'off',
      'no-unused-vars': ['error', { vars: 'local', argsIgnorePattern: '^_', caughtErrors: 'all' }],
    },
  },
];
