'use strict';

/**
 * What the user of a command did wrong; `help`, if set, is printed below the message ('' for none).
 */
class UsageError extends Error {
  constructor(message, help) {
    super(message);
    this.help = help;
  }
}

module.exports = { UsageError };
