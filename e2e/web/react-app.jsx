// A micro frontend as a team would write it, with the package as it would install it.

import { createRoot } from 'react-dom/client';
import { LogsSSEProvider, useLogsSSE } from '@datashop/logs-sse-client';

const Logs = ({ workspace_id, workflow_id }) => {
  const { logs, isConnected, connectionStatus } = useLogsSSE({
    service: 'etl', workspace_id, workflow_id, maxLogs: 200, persistence: true });
  return <div>Status: {connectionStatus} {isConnected && '🔴 LIVE'}
    {logs.map(log => <div key={log.id}>[{log.level}] {log.message}</div>)}</div>;
};

const roots = new Map();

/** Shows the lines in `element`; `gatewayUrl` is the provider's, the rest are the micro frontend's. */
window.mountLogs = (element, { gatewayUrl = '/api/logs/stream', ...props }) => {
  const root = roots.get(element) ?? createRoot(element);
  roots.set(element, root);
  root.render(<LogsSSEProvider gatewayUrl={gatewayUrl}><Logs {...props} /></LogsSSEProvider>);
};

/** Takes them away again. */
window.unmountLogs = (element) => {
  roots.get(element)?.unmount();
  roots.delete(element);
};
