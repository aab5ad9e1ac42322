'use strict';

// The publisher of a program that needs only one.

const { createPublisher } = require('./publisher.js');
const { said } = require('./record.js');

/** @type {import('../index.js').Publisher | null} */
let publisher = null;

const shared = () => (publisher ??= createPublisher());

/** Settles what the functions below publish with, instead of the environment alone. What waits is still sent. @param {import('../index.js').PublisherOptions} [options] */
function configure(options) {
  const before = publisher;
  publisher = createPublisher(options);
  void before?.close();
  return publisher;
}

/** @param {any} workspace_id @param {any} workflow_id @param {any} logData */
const publishFAASLog = (workspace_id, workflow_id, logData) => shared().publish(logData, { service: 'faas', workspace_id, workflow_id });

/** @param {any} workspace_id @param {any} workflow_id @param {any} logData */
const publishETLLog = (workspace_id, workflow_id, logData) => shared().publish(logData, { service: 'etl', workspace_id, workflow_id });

/** @param {any} message @param {any} level @param {any} [fields] */
const publishLog = (message, level = 'INFO', fields = undefined) => shared().publish(said(message, level, fields));

module.exports = { configure, publishETLLog, publishFAASLog, publishLog };
