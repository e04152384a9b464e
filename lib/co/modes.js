'use strict';

/* What steps are told and what they answer. The C Runner is told the numbers it needs. */

module.exports = {
  // How a run goes on. STORED: with the mode and value that the last step left on the run. RESULT
  // and FAIL carry the outcome of an async generator's `next` promise. RETURN ends the generator,
  // for those whom lib/co/control.js controls.
  NEXT: 0,
  THROW: 1,
  STORED: 2,
  RESULT: 3,
  FAIL: 4,
  RETURN: 5,

  // What a step answers.
  WAIT: 0, // subscribed: whoever wakes the run calls `resume`
  READY: 1, // call it again with STORED
  DONE: 2, // the run has ended and has told whoever wanted to know
};
