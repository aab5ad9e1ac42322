//! A micro frontend in Leptos: the newest lines of one workflow, in an element that the page's shell gives it.
//!
//! It is built apart from all others on the page, and shares their stream.

use leptos::{mount::mount_to, prelude::*};
use logs_client::{LogsProvider, UseLogsOptions, UseLogsReturn, use_logs};
use wasm_bindgen::prelude::*;

#[component]
fn WorkflowLogs(service: String, workspace_id: String, workflow_id: String) -> impl IntoView {
    let UseLogsReturn {
        logs,
        is_connected,
        connection_status,
        stream_id,
        ..
    } = use_logs(
        UseLogsOptions::new(service, workspace_id)
            .workflow(workflow_id)
            .max_logs(200),
    );
    view! {
        <p data-stream=move || stream_id.get()>
            "Status: " {move || connection_status.get().as_str()} {move || is_connected.get().then_some(" 🔴 LIVE")}
        </p>
        <For each=move || logs.records() key=|record| record.id let:record>
            <p class="line">"[" {record.level.as_str()} "] " {record.message.clone()}</p>
        </For>
    }
}

/// What takes a micro frontend out of the page again, when it is called.
#[wasm_bindgen]
pub fn mount(
    element: web_sys::HtmlElement,
    service: String,
    workspace_id: String,
    workflow_id: String,
) -> JsValue {
    let mounted = mount_to(element, move || {
        view! {
            <LogsProvider>
                <WorkflowLogs service workspace_id workflow_id />
            </LogsProvider>
        }
    });
    Closure::once_into_js(move || drop(mounted))
}

fn main() {}
