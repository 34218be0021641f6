// A program that only loads Pulumi and its AWS package, as every program on AWS does.
"use strict";
require("tsx/cjs");
require("@pulumi/pulumi");
require("@pulumi/aws");
