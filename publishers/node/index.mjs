// The same modules as for `require`, so that a program that mixes both has one publisher.
import publisher from './index.js';

export const { configure, createPublisher, publishETLLog, publishFAASLog, publishLog } = publisher;
