'use strict';

// node scripts/test-arch.js [NAME...]
// Builds test/arch, which tests the context switch alone, in every form: each compiler and level,
// the inline switch and the portable one, with frame pointers, as PIC, with landing pads; for this
// machine, and for aarch64 under qemu where both are installed. A NAME selects the builds whose
// command line contains it.

const { execFile } = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { addCounts } = require('./counts.js');

const root = path.join(__dirname, '..');
const folder = path.join(root, 'build', 'arch');
const FLAGS = ['-std=gnu11', '-g', '-Wall', '-Wextra', '-Werror', '-Isrc/core'];
const LEVELS = ['-O0', '-O1', '-O2', '-O3'];
const PORTABLE = '-DFIBRIL_SWITCH_PORTABLE';
const FRAMES = ['-fno-omit-frame-pointer', '-DWITH_FRAME_POINTERS'];

const MACHINES = {
  x64: {
    source: 'src/core/switch/arch/x86_64_sysv.S',
    own: [['-fcf-protection=full'], ['-fcf-protection=full', PORTABLE]],
    // Not every machine can run it: that it compiles is all that is looked at.
    compileOnly: [['-mavx512f']],
  },
  arm64: {
    source: 'src/core/switch/arch/aarch64.S',
    own: [['-mbranch-protection=standard'], ['-mbranch-protection=standard', PORTABLE]],
    compileOnly: [],
  },
};

const CROSS = {
  arch: 'arm64',
  compilers: [['aarch64-linux-gnu-gcc'], ['clang', '--target=aarch64-linux-gnu']],
  runner: ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu'],
};

/**
 * Never rejects: the code a program ended with, 127 when there is no such program, and what it
 * wrote.
 */
function run([program, ...args]) {
  return new Promise((resolve) => {
    execFile(program, args, { cwd: root, timeout: 120000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code === 'ENOENT'
        ? 127 : (error.signal ?? error.code);
      resolve({ code, stdout, stderr });
    });
  });
}

async function works(compiler, runner) {
  const program = path.join(folder, 'probe');
  const source = path.join(folder, 'probe.c');
  fs.writeFileSync(source, 'int main(void) { return 0; }\n');
  if ((await run([...compiler, source, '-o', program])).code !== 0) return false;
  return (await run([...runner, program])).code === 0;
}

function variants({ own }) {
  return [[], [PORTABLE], FRAMES, [...FRAMES, PORTABLE], ['-fPIC'], ...own];
}

function builds(arch, compilers, runner) {
  const machine = MACHINES[arch];
  const all = [];
  for (const compiler of compilers) {
    for (const level of LEVELS) {
      for (const flags of variants(machine)) {
        const inline = level !== '-O0' && !flags.includes(PORTABLE);
        all.push({ compiler, flags: [level, ...flags, `-DEXPECT_INLINE=${inline ? 1 : 0}`], machine,
          runner });
      }
      for (const flags of machine.compileOnly) {
        all.push({ compiler, flags: [level, ...flags], machine, runner: null });
      }
    }
  }
  return all;
}

async function runBuild({ compiler, flags, machine, runner }, number) {
  const program = path.join(folder, `switch_test_${number}`);
  const title = [...compiler, ...flags.filter((flag) => !/^-D(EXPECT|WITH)/.test(flag))].join(' ');
  const built = await run([...compiler, ...FLAGS, ...flags, 'test/arch/switch_test.c',
    machine.source, '-o', program]);
  if (built.code !== 0) return { title, passed: 0, failed: 1, text: built.stderr };
  if (runner === null) return { title: `${title} (compiled only)`, passed: 1, failed: 0, text: '' };
  const { code, stdout, stderr } = await run([...runner, program]);
  const passed = stdout.split('\n').filter((line) => line.startsWith('ok ')).length;
  const failed = stdout.split('\n').filter((line) => line.startsWith('not ok ')).length;
  const crashed = code !== failed || passed + failed === 0;
  const text = failed > 0 ||
    crashed ? `${stdout}${stderr}${crashed ? `ended with ${code}\n` : ''}` : '';
  return { title, passed, failed: failed + (crashed ? 1 : 0), text };
}

async function available(arch, compilers, runner) {
  const found = [];
  for (const compiler of compilers) {
    if (await works(compiler, runner)) found.push(compiler);
    else {console.log(`${[...runner.slice(0, 1), ...compiler]
      .join(' with ')}: not installed, not tested`);}
  }
  return builds(arch, found, runner);
}

async function main() {
  fs.mkdirSync(folder, { recursive: true });
  if (process.platform === 'win32' || !(process.arch in MACHINES)) {
    throw new Error(`no switch for ${process.platform}-${process.arch}`);
  }
  const queue = await available(process.arch, [['gcc'], ['clang']], []);
  if (process.arch !== CROSS.arch) {
    queue.push(...await available(CROSS.arch, CROSS.compilers, CROSS.runner));
  }

  const names = process.argv.slice(2);
  const chosen = queue.filter(({ compiler, flags }) => {
    return names.length === 0 ||
    names.some((name) => [...compiler, ...flags].join(' ').includes(name));
  });
  const counts = { passed: 0, failed: 0 };
  let next = 0;
  const worker = async () => {
    while (next < chosen.length) {
      const number = next++;
      const { title, passed, failed, text } = await runBuild(chosen[number], number);
      counts.passed += passed;
      counts.failed += failed;
      console.log(`${failed > 0 ? 'not ok' : 'ok'} ${title}${text
        ? `\n${text.trimEnd().replace(/^/gm, '    ')}` : ''}`);
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
  addCounts(counts);
  console.log(`\n${counts.passed} passed, ${counts.failed} failed`);
  if (counts.failed > 0 || counts.passed === 0) process.exitCode = 1;
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
