#!/usr/bin/env node
'use strict';

// npx fibril COMMAND ARGUMENT...: a command is a module of this folder with `usage`, `summary`,
// `help` and run(arguments). What the user did wrong it throws as a UsageError.

const { version } = require('../package.json');
const { UsageError } = require('./usage.js');

const COMMANDS = {
  dts: require('./dts.js'),
  new: require('./new.js'),
};

function overview() {
  const usages = Object.values(COMMANDS).map(({ usage }) => usage);
  const width = Math.max(...usages.map(({ length }) => length));
  const lines = Object.values(COMMANDS).map(
    ({ usage, summary }) => `  fibril ${usage.padEnd(width)}  ${summary}`);
  return `fibril ${version}: async/await for C in Node addons\n\n${lines.join('\n')}\n\n` +
    'fibril COMMAND --help says more.\n';
}

async function main([name, ...args]) {
  if (name === undefined || ['--help', '-h', 'help'].includes(name)) return overview();
  if (name === '--version' || name === '-v') return `${version}\n`;
  if (!Object.hasOwn(COMMANDS, name)) {
    throw new UsageError(`there is no command "${name}"`, overview());
  }
  const command = COMMANDS[name];
  const help = `fibril ${command.usage}\n\n${command.help}`;
  if (args.includes('--help') || args.includes('-h')) return help;
  try {
    return await command.run(args);
  } catch (error) {
    if (error instanceof UsageError) error.help ??= help;
    throw error;
  }
}

main(process.argv.slice(2)).then(
  // An addon that was loaded may have code at load that goes on waiting.
  (output) => process.stdout.write(output, () => process.exit()),
  (error) => {
    // A defect of fibril's, or a system call that failed: with its stack only where no sentence
    // says what was wrong.
    const known = error instanceof UsageError || error.syscall !== undefined;
    const help = error.help ? `\n${error.help}` : '';
    process.stderr.write(`fibril: ${known ? error.message : error.stack}\n${help}`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  },
);
