//! Models of the AWS services that Waypost uses, as far as it uses them. They do no IO and read no
//! clock: the time is an argument, and every random choice comes from the caller.
