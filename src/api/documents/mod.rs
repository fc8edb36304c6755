//! What needs no credential and explains the service: the root, the OpenAPI document and the page that renders it.

pub(super) mod docs_page;
pub(super) mod get_openapi;
pub(super) mod get_root;
