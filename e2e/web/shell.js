// A page shell: three micro frontends that three teams have built, each with what it likes.
import './react-app.js';
import init, { mount } from './micro_frontend.js';

await init({ module_or_path: './micro_frontend.wasm' });

const kinds = {
  react(element, workflow_id) {
    window.mountLogs(element, { workspace_id: 'workspace123', workflow_id });
    return () => window.unmountLogs(element);
  },
  leptos: (element, workflow_id) => mount(element, 'etl', 'workspace123', workflow_id),
  tag(element, workflow_id) {
    const tag = document.createElement('logs-widget');
    Object.assign(tag, { service: 'etl', workspaceId: 'workspace123', workflowId: workflow_id });
    element.append(tag);
    return () => tag.remove();
  },
};

const mounted = new Map();

window.shell = {
  mount(kind, workflow_id) {
    const element = document.createElement('section');
    element.id = `${kind}-${workflow_id}`;
    document.querySelector('main').append(element);
    mounted.set(element.id, kinds[kind](element, workflow_id));
  },
  unmount(kind, workflow_id) {
    const id = `${kind}-${workflow_id}`;
    mounted.get(id)();
    document.getElementById(id).remove();
  },
  // What a micro frontend shows of its lines, the oldest first.
  lines(kind, workflow_id) {
    const element = document.getElementById(`${kind}-${workflow_id}`);
    if (kind === 'tag') return element.firstChild.logs.map(({ message }) => message);
    if (kind === 'leptos') return [...element.querySelectorAll('.line')].map((line) => line.textContent.replace('[INFO] ', ''));
    return [...element.querySelectorAll('div > div')].map((line) => line.textContent.replace('[INFO] ', ''));
  },
  status: (kind, workflow_id) => {
    const element = document.getElementById(`${kind}-${workflow_id}`);
    return kind === 'tag' ? `Status: ${element.firstChild.status}` : element.textContent;
  },
  stream: (workflow_id) => document.getElementById(`tag-${workflow_id}`).firstChild.streamId,
};
