'use strict';

const addon = require('./build/Release/net.node');

exports.EchoServer = addon.EchoServer;
exports.LineServer = addon.LineServer;
exports.Proxy = addon.Proxy;
exports.scan = addon.scan;
exports.resolve = addon.resolve;
