// Preloaded into a container (NODE_OPTIONS=--require): once the file CLOCK_FILE exists, the wall clock is wrong by
// CLOCK_SHIFT milliseconds. The monotonic clock and timers are right, as on a machine whose time was set wrongly.
const { existsSync } = require("node:fs");
const RealDate = Date;
const shift = Number(process.env.CLOCK_SHIFT);
const now = () => RealDate.now() + (existsSync(process.env.CLOCK_FILE) ? shift : 0);
globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [now()] : args));
  }
  static now() {
    return now();
  }
};
