//! Nchan's tests.
