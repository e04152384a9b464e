'use strict';

// The asynchronous methods of statements. `transaction` is the number of the one that they belong
// to, 0 outside of any.

const { ofStatement } = require('./native.js');
const { withSignal } = require('./parameters.js');

function run(statement, transaction, values) {
  const [list, signal] = withSignal(values);
  return ofStatement.run.call(statement, transaction, signal, list);
}

function get(statement, transaction, values) {
  const [list, signal] = withSignal(values);
  return ofStatement.get.call(statement, transaction, signal, list);
}

// Many rows come in pieces, so that making them objects never stops the loop for long.
async function all(statement, transaction, values) {
  const [list, signal] = withSignal(values);
  const pieces = [];
  pieces.push(await ofStatement.all.call(statement, transaction, signal, list,
    (rows) => { pieces.push(rows); }));
  return pieces.length === 1 ? pieces[0] : [].concat(...pieces);
}

function iterate(statement, transaction, values) {
  const [list, signal] = withSignal(values);
  return ofStatement.iterate.call(statement, transaction, signal, list);
}

module.exports = { run, get, all, iterate };
