'use strict';

// Where a record goes.

const SEGMENT = /^[\w.-]{1,128}$/;

/**
 * @typedef {object} Where
 * @property {string} [service]
 * @property {string} [workspace_id]
 * @property {string} [workflow_id]
 * @property {string} [resource_id]
 * @property {string} [function_id]
 */

/** The channel of a record, or nothing where there is none. @param {Where} where */
function channelOf({ service, workspace_id, ...ids }) {
  const resource = resourceOf(ids);
  const segments = [service, workspace_id, ...(resource === undefined ? [] : [resource])];
  // A number is a name too; anything else would be guessed.
  const texts = segments.map((segment) => (typeof segment === 'number' ? String(segment) : segment));
  return texts.every((text) => typeof text === 'string' && SEGMENT.test(text)) ? `logs:${texts.join(':')}` : null;
}

/** The third part by any of its names; an empty one is none. @param {Where} where */
function resourceOf({ workflow_id, resource_id, function_id }) {
  const resource = workflow_id ?? resource_id ?? function_id;
  return resource === '' || resource === null ? undefined : resource;
}

/** What a call says, and else what the publisher was made with. @param {Where} made @param {Where} said @returns {Where} */
function placed(made, said) {
  return {
    service: said.service ?? made.service,
    workspace_id: said.workspace_id ?? made.workspace_id,
    workflow_id: resourceOf(said) ?? resourceOf(made),
  };
}

module.exports = { channelOf, placed, resourceOf };
