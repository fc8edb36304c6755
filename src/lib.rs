//! meeting-provisioner
