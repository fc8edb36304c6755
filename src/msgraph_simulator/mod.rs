//! A small honest Graph and token endpoint over HTTP, with faults on demand.
