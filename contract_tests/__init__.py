"""The contract suite: one verdict per documented clause, for any implementation of the batch upgrade."""
