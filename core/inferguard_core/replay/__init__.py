"""Load that is sent on purpose: ISB-1 exports replayed against an engine's OpenAI API and measured.

The only part of the core that makes an engine work. Nothing here sends before a guard has looked.
"""
