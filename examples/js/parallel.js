'use strict';

// Whatever stands in a yielded array or object is started together and waited for together. The
// results have the places or the names of what was yielded, whichever came first.

const co = require('fibril');

function* fetch(name, ms) {
  yield co.sleep(ms);
  console.log(`${name} is there`);
  return name.toUpperCase();
}

co(function* () {
  const list = yield [fetch('first', 60), fetch('second', 20), fetch('third', 40)];
  console.log(JSON.stringify(list));

  const named = yield { slow: fetch('slow', 40), quick: fetch('quick', 20) };
  console.log(JSON.stringify(named));

  const nested = yield { pair: [fetch('left', 40), fetch('right', 20)], none: [], no: {} };
  console.log(JSON.stringify(nested));
});
