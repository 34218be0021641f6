// Preloaded into a container, it makes its start a second longer, as on a small share of a processor.
"use strict";
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
