//! Who could review: the rules, and the models of the operator.
