// The tag's types, as an application uses them: checked with the package, and no part of it.

import { useRef } from 'react';

import { type LogsWidgetElement, useLogsSSE } from './index.js';

export const Lines = () => {
  const tag = useRef<LogsWidgetElement>(null);
  const { isUnauthorized } = useLogsSSE({ service: 'etl', workspace_id: 'workspace123' });
  const isWanted: boolean = tag.current?.isUnauthorized ?? isUnauthorized;
  document.querySelector('logs-widget')?.addEventListener('logs-status', ({ detail }) => detail.streamId);
  // @ts-expect-error There is no such scope.
  const wrong = <logs-widget scope="galaxy" />;
  return (
    <logs-widget ref={tag} service="etl" workspace-id="workspace123" max-logs={200} persistence hidden={isWanted}>
      {wrong}
    </logs-widget>
  );
};
