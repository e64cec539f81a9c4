"""The page of a job that hosts show in a chat: its Python, HTML, style and scripts."""
