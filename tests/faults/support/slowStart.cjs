// Preloaded into a container: its start takes a second longer, as with a small share of a processor.
"use strict";
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
