"""Carrying out an advisory through an operator's webhook: guards, one signed attempt, an audit, a check of the effect.

Off unless set, and never without a person or a flag that names the action. It knows no engine and has no way to
one: what is done is done by the receiver.
"""
