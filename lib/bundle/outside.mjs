/*
 * What bundlers that can't hold the addon put in fibril's place: the package is loaded when the
 * bundle runs, as if it had been left outside. The conditions of package.json ("#co") choose this;
 * Node never does. These files are in bundles, so they use nothing of lib/.
 */

const { Error } = globalThis;

/**
 * @param {function} requireOutside Node's own `require`, of the bundle
 * @returns {function} co
 */
export function load(requireOutside) {
  try {
    return requireOutside('fibril');
  } catch (cause) {
    if (cause.code !== 'MODULE_NOT_FOUND' || !cause.message.includes("'fibril'")) throw cause;
    const message = 'fibril is not in the bundle, which cannot hold its native part: ' +
      'install it, by this name, where the bundle runs.';
    const error = new Error(message, { cause });
    error.code = 'ERR_FIBRIL_BUNDLED';
    throw error;
  }
}
