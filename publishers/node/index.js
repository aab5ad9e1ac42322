'use strict';

const { createPublisher } = require('./lib/publisher.js');
const { configure, publishETLLog, publishFAASLog, publishLog } = require('./lib/shared.js');

module.exports = { configure, createPublisher, publishETLLog, publishFAASLog, publishLog };
