"""Memory shared between hosts: Upstash Redis and Vector beside the local store, through their own clients.

Everything is written locally first, with a note in an outbox; what is sent and confirmed leaves it. So an outage
costs nothing but time, and what is sent twice has the same name twice.
"""
