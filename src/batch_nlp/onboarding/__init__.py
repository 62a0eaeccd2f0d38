"""Write a dataset's file for someone's own files: guess encoding, tables, roles and times, and give the reasons.

The room only proposes settings. It must not run a pipeline, and nothing but the stage `init` uses it.
"""
