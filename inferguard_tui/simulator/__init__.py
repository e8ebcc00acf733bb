"""A simulated engine: a continuous-batching scheduler over a paged KV pool behind the genuine exposition."""
