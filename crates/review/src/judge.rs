//! The verdict, computed.
