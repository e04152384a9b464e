'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const readline = require('node:readline');

/** A process that answers lines with lines. */
class Partner {
  constructor([program, ...args]) {
    this.process = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = readline.createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
    this.ended = once(this.process, 'exit');
  }

  async next() {
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`${this.process.spawnargs.join(' ')} has ended`);
    return value;
  }

  ask(line) {
    this.process.stdin.write(`${line}\n`);
    return this.next();
  }

  async end() {
    this.process.stdin.end();
    await this.ended;
  }
}

module.exports = { Partner };
